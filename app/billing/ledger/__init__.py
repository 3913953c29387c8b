"""What is owed for each claim, by whom, and why: entries that are only added."""
