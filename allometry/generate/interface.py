"""The documentation pages of the Python interface: what each package exports, for mkdocstrings to fill from the docstrings."""

import importlib
import inspect
from collections.abc import Mapping

from allometry.generate.docstrings import exported

PACKAGES: Mapping[str, str] = {
    "stores": "Stores: build, validate, write, open, and take apart.",
    "network": "What a network is: populations, projections, inputs, neuron models.",
    "models": "Networks that are ready to run.",
    "simulate": "Running any network.",
    "compare": "Measures, intervals and tests on plain arrays.",
    "homogenize": "From files to stores.",
    "retrieve": "Fetching and checking files.",
    "export": "Stores in the formats of other tools.",
    "report": "Figures and the page.",
    "config": "The configuration, typed.",
    "plugins": "Parts of your own.",
}
"""Packages and modules below `allometry`, in the order of the pages, with one line each."""

_HEADER = "Generated from what the package exports by `python -m allometry.generate`."


def documentation() -> dict[str, str]:
    """Pages by path: an overview, and one for each package."""
    pages = {f"docs/api/{name}.md": _page(name) for name in PACKAGES}
    rows = [f"| [`allometry.{name}`]({name}.md) | {said} |" for name, said in PACKAGES.items()]
    overview = ["# Python", "", _HEADER, "", "| | |", "|---|---|", *rows]
    return {"docs/api/index.md": "\n".join(overview) + "\n", **pages}


def _page(name: str) -> str:
    module = importlib.import_module(f"allometry.{name}")
    about = (inspect.getdoc(module) or "").partition("\n\n")[0].replace("\n", " ")
    groups: dict[str, list[str]] = {}
    for public, thing in exported(module).items():
        options = f"{{heading: '{name}.{public}', toc_label: '{public}'}}"
        entry = f"::: {thing.__module__}.{thing.__qualname__}\n    options: {options}\n"
        groups.setdefault(_group(name, thing.__module__), []).append(entry)
    out = [f"# allometry.{name}", "", about, ""]
    for group, entries in groups.items() if len(groups) == 1 else sorted(groups.items()):
        out += ([f"## {group}", ""] if len(groups) > 1 else []) + entries
    return "\n".join(out)


def _group(name: str, module: str) -> str:
    """Heading that a name stands under: in `compare`, the family of measures; elsewhere none."""
    if name != "compare":
        return ""
    room = module.removeprefix("allometry.compare.").removeprefix("measures.").split(".")[0]
    return room.capitalize()
