"""The inbox: webhooks are stored once per provider event, then take effect once."""
