"""What payers have refused to pay: each refusal with its owner, its deadline and what became of it."""
