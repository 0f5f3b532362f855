"""Tracks in, events out. Pure: no clock, no I/O, no thread."""
