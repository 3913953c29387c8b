"""Received files, handed out as they are kept."""
