"""`python -m allometry` is the `allometry` command."""

import sys


def main() -> int:
    """Import the command and run it; Ctrl-C is one sentence and status 130 while it is imported, too."""
    try:
        from allometry import cli

        return cli.main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
