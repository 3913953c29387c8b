"""Reasons why a locked chart has no claim: the other half of trip reconciliation."""
