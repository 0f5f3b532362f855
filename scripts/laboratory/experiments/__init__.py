"""What the laboratory does in its machine: one module an experiment, each prints what it found as JSON."""
