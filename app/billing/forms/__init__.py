"""The CMS-1500 (02/12) for payers that want paper: the text of the print grid, and pages for reading."""
