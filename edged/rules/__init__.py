"""Tracks in, events out: pure."""
