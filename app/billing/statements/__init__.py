"""What the ledger comes to: for one billing account claim by claim, and for each payer by age."""
