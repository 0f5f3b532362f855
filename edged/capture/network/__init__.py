"""Cameras on the network: RTSP, MJPEG over HTTP, and MPEG-TS or H.264 over HTTP or TCP."""
