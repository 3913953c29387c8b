"""The audit log: who changed what, field by field, PHI redacted, in the transaction of the change."""
