"""Sessions: what a sign-in opens, a refresh prolongs, and a logout, a new password or an administrator ends."""
