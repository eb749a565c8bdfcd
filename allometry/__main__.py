"""`python -m allometry` is the `allometry` command."""

import sys

from allometry.cli import main

if __name__ == "__main__":
    sys.exit(main())
