"""What the claim edits find in a claim: for who asks, and whenever the claim or its chart changed."""
