"""The contents that people attach to charts: accepted types, how they are recognised, and how they are cleaned."""
