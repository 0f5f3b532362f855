"""Pixels for people: JPEG snapshots, annotated frames, contact sheets."""
