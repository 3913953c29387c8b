"""Appeals against what payers refused: levels, deadlines, the letter, the packet that is sent, and what came of it."""
