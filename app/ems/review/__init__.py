"""The review of a chart: one row per submission, and the reviewer's comments on single fields."""
