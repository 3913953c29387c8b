"""The NEMSIS dictionary as clients read it."""
