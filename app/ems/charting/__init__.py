"""The head of the chart as people work on it: opening, revising, transitions, the lock."""
