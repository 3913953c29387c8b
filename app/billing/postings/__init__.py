"""The ledger of one claim as people read it, and what people and patients add to it."""
