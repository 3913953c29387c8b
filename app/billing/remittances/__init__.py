"""What payers paid and decided: kept as they said it, posted where it fits, queued where it does not."""
