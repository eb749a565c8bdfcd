"""The documentation page of all comparison measures, from their registry."""

from allometry.compare.registry import MEASURES

HEADER = """\
# Measures

Generated from `allometry/compare/registry.py` by `python -m allometry.generate`. *Invariant to* is what a measure does not see:
the use case determines which measure is valid.

| measure | function | input | invariant to | for | ceiling | source |
|---|---|---|---|---|---|---|
"""


def documentation() -> str:
    """Table of the registry's measures."""
    rows = []
    for name, measure in MEASURES.items():
        cells = [
            f"`{name}` {measure.version}",
            f"`{measure.family}.{measure.function}`",
            measure.inputs,
            measure.invariances,
            measure.use,
            measure.ceiling_rule,
            measure.reference,
        ]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return HEADER + "\n".join(rows) + "\n"
