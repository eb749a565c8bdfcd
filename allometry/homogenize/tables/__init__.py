"""Small tables of facts that the readers need; each names its sources in its first lines."""

import csv
from importlib import resources


def load(name: str) -> list[dict[str, str]]:
    """Rows of one table as dictionaries."""
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
