"""The websocket: everyone on the call sees the same chart (directive 5.4, 13)."""
