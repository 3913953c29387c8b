"""Billing: claims, remittances and everything between a locked chart and a paid one."""
