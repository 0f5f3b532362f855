"""What `edged doctor` looks at in the machine: a subject a module, each a few functions that return findings.

They read below `root`, which tests build, and change nothing.
"""
