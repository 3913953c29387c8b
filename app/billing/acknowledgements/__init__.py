"""What clearinghouses and payers say about a claim before it is decided."""
