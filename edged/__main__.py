"""`python -m edged` is the same as `edged`."""

from edged.cli.main import main

if __name__ == "__main__":
    main()
