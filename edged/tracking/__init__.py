"""Detections in, tracks out."""
