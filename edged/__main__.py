"""`edged`, and `python -m edged`, which is the same."""

import sys

from edged.cli.signals import pass_over_early_reload


def main() -> None:
    """Run edged and exit the process."""
    if sys.argv[1:2] == ["run"]:
        pass_over_early_reload()  # before the imports, which take a while
    try:
        from edged.cli.main import main as command_line

        command_line()
    except KeyboardInterrupt:  # where no command has begun; they have words of their own for it
        sys.exit(130)


if __name__ == "__main__":
    main()
