"""Messages: queued once per cause, sent by a job, followed up by the provider's notices."""
