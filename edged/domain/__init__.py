"""The words that edged speaks: numpy and the standard library only, no I/O."""
