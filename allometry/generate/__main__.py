"""Regenerate every derived file: `python -m allometry.generate`.

`python -m allometry.generate my.yaml FOLDER` writes the schema, defaults and pages with the plugins of a configuration into a
folder of yours.
"""

import sys
from pathlib import Path

from allometry import config
from allometry.errors import AllometryError
from allometry.generate import ROOT, derived, with_plugins


def main(arguments: list[str]) -> int:
    """Write the files; return the exit status."""
    if len(arguments) not in (0, 2):
        print(__doc__, file=sys.stderr)
        return 2
    folder, made = ROOT, derived
    if arguments:
        try:
            config.load(arguments[0])
        except AllometryError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1
        folder, made = Path(arguments[1]), with_plugins
    for name, text in made().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT) if folder == ROOT else path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
