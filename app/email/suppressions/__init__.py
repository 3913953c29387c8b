"""Suppressions: addresses that bounced or complained. Nothing more is sent to them."""
