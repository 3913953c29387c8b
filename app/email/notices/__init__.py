"""Notices: the reports of SES through SNS about sent messages."""
