"""Inference engines: tensors in, tensors out; they know nothing of boxes."""
