"""Fakes with levers, held to the same contract tests as the real parts."""
