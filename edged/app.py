"""Builds the daemon from a configuration: the only module that names concrete classes."""
