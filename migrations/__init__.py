"""Schema migrations, run as the owner role."""
