"""What people attach to charts: the types that are taken, how they are recognised, what is taken out of photos."""
