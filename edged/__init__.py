"""edged: real-time object detection for a box that nobody visits."""

__version__ = "0.1.0"
