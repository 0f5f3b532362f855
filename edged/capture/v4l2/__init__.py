"""Cameras through the kernel's own interface: linux/videodev2.h, spoken directly."""
