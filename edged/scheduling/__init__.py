"""Which frame deserves an inference: pure policies."""
