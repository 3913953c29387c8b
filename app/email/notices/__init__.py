"""Notices: what SES reports through SNS about messages that were sent."""
