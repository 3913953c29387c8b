"""The reviewers' desk: which charts wait for whom, who reviews which, and what became of the comments."""
