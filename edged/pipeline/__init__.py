"""How a frame goes from source to event."""
