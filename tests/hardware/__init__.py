"""What needs a real device: pytest -m hardware."""
