"""What is generated from the records of the measures: the documentation page, their index, and what `compare` offers."""

import json
from collections.abc import Mapping

from allometry.compare.records.measures import COSTS, Measure
from allometry.compare.registry import collect

HEADER = """\
# Measures

Generated from the records beside the functions (`@measure`) by `python -m allometry.generate`. *Invariant to* is what a measure
does not see: the use case determines which measure is valid. *Cost*: {costs}.

| measure | function | input | invariant to | for | ceiling | cost | source |
|---|---|---|---|---|---|---|---|
"""
PACKAGE = "allometry.compare."
HELPERS: Mapping[str, tuple[str, ...]] = {
    # intervals, p values and ceilings of any score
    "inference.roc": ("auc", "roc"),
    "inference.ceilings": ("ceiled", "spearman_brown", "split_half"),
    "inference.statistics": ("Interval", "bootstrap", "fdr", "interval", "permutation_p"),
    "measures.representations.mantel": ("rsa_permutation",),
    # what stands beside a measure or a kind of comparison of one's own
    "records.measures": ("Scale", "measure"),
    "records.kinds": ("Options", "comparison"),
    "result": ("Result", "row", "with_fdr"),
    # what a result is looked at with
    "measures.representations.topology": ("mds",),
    "measures.tensors.decomposition": ("reconstruct",),
}
"""Public names of `allometry.compare` that are no measures, by module."""


def documentation() -> str:
    """Table of all measures."""
    rows = []
    for name, measure in collect().items():
        cells = [
            f"`{name}` {measure.version}",
            f"`{measure.family}.{measure.function.__name__}`",
            measure.inputs,
            measure.invariances,
            measure.use,
            measure.ceiling,
            measure.cost,
            measure.reference,
        ]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    costs = "; ".join(f"{name}: {text}" for name, text in COSTS.items())
    return HEADER.format(costs=costs) + "\n".join(rows) + "\n"


def index() -> str:
    """Module below `allometry.compare` of every measure, as JSON."""
    modules = {name: measure.module.removeprefix(PACKAGE) for name, measure in _own().items()}
    return json.dumps(modules, indent=1) + "\n"


def public() -> str:
    """Stub of `allometry.compare`: the functions of all measures that no kind keeps to itself, and the helpers."""
    functions = {(measure.function.__module__, measure.function.__name__) for measure in _own().values()}
    offered = {(module.removeprefix(PACKAGE), name) for module, name in functions}
    offered = {(module, name) for module, name in offered if not module.startswith("kinds.")}
    offered |= {(module, name) for module, names in HELPERS.items() for name in names}
    return "".join(f"from .{module} import {name} as {name}\n" for module, name in sorted(offered))


def _own() -> dict[str, Measure]:
    return {name: measure for name, measure in collect().items() if measure.module.startswith(PACKAGE)}
