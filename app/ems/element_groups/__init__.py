"""Repeating NEMSIS groups that have no entity of their own (eProtocols, eOutcome, eScene …)."""
