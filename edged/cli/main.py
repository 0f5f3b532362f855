"""The command line's entry point."""


def main() -> None:
    """Run edged."""
    raise SystemExit("not yet")
