"""Which frame of which camera deserves an inference: pure policies, one a file."""
