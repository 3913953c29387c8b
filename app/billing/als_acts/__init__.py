"""Acts that state law reserves for advanced life support staff: a shipped default, and what an agency's state says."""
