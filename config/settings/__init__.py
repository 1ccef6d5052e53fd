"""Settings: base for all, and one file per real difference: local, production, test."""
