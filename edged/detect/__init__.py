"""Image in, Detections out, the same for all engines."""
