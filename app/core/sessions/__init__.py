"""Sessions. A sign-in opens one, a refresh prolongs it. A logout, a new password or an administrator ends it."""
