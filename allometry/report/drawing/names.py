"""Names of stores, candidates and measures as a reader sees them."""

import re

_HASH = re.compile(r"_[0-9a-f]{8}$")


def readable(name: str) -> str:
    """Name without the digits that only make it unique, and without underscores."""
    return _HASH.sub("", name).replace("_", " ")
