"""The chain of stages of a run: what each made, and how long it took."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Stage:
    """A link of the chain.

    Attributes
    ----------
    name, anchor : str
        Name of the stage, and of the section of the page that shows it.
    counts : tuple of str
        What it made, in words.
    minutes : float or None
        Time of its jobs together; None where nothing was measured.
    share : float
        Of the minutes of all stages.
    """

    name: str
    anchor: str
    counts: tuple[str, ...]
    minutes: float | None
    share: float

    @property
    def time(self) -> str:
        """The minutes in words."""
        if self.minutes is None:
            return ""
        if self.minutes < 1:
            return f"{60 * self.minutes:.0f} s"
        return f"{self.minutes:.1f} min" if self.minutes < 120 else f"{self.minutes / 60:.1f} h"


ANCHORS = {
    "retrieve": "data",
    "homogenize": "homogenized",
    "simulate": "simulations",
    "scale": "scaling",
    "compare": "comparisons",
    "report": "provenance",
}
"""Section of the page by stage, in the order of the workflow."""


def minutes(benchmarks: str | Path | None) -> dict[str, float]:
    """Minutes of the jobs of each stage together, from the benchmark files of Snakemake.

    Parameters
    ----------
    benchmarks : path or None
        Folder with a folder per stage.
    """
    found: dict[str, float] = {}
    for stage in ANCHORS if benchmarks is not None else ():
        files = sorted((Path(str(benchmarks)) / stage).rglob("*.tsv"))
        if files:
            found[stage] = sum(_seconds(file) for file in files) / 60
    return found


def _seconds(file: Path) -> float:
    with file.open(newline="", encoding="utf-8") as stream:
        return sum(float(row["s"]) for row in csv.DictReader(stream, delimiter="\t"))


def stages(
    kinds: Mapping[str, str],
    sources: Mapping[str, Mapping[str, Any]],
    scores: int,
    figures: int,
    taken: Mapping[str, float],
) -> list[Stage]:
    """The links of the chain that this run has.

    Parameters
    ----------
    kinds : mapping of str to str
        Kind of every store by its path below `results/`.
    sources : mapping
        Registry entries of the data sets that were used.
    scores, figures : int
        How many.
    taken : mapping of str to float
        Minutes by stage.
    """
    places = {path: _stage_of(path) for path in kinds}
    simulated = [
        path for path, stage in places.items() if stage == "simulate" and kinds[path] in ("Spikes", "Connectome")
    ]
    runs = len({Path(path).parent.name for path in simulated})
    studies = sum(stage == "scale" for stage in places.values())
    compared = sum(stage == "compare" for stage in places.values())
    counts: dict[str, list[str]] = {
        "retrieve": [
            _count(len(sources), "data set"),
            _count(sum(len(entry["files"]) for entry in sources.values()), "file"),
        ],
        "homogenize": _by_kind(kinds[path] for path, stage in places.items() if stage == "homogenize"),
        "simulate": [_count(len(simulated), "simulation"), _count(runs, "run")] if simulated else [],
        "scale": [_count(studies, "study", "studies")] if studies else [],
        "compare": [_count(compared, "comparison"), _count(scores, "score")] if compared else [],
        "report": [_count(figures, "figure")],
    }
    whole = sum(taken.values())
    return [
        Stage(name, anchor, tuple(counts[name]), taken.get(name), taken.get(name, 0.0) / whole if whole else 0.0)
        for name, anchor in ANCHORS.items()
        if counts[name] and (name != "retrieve" or sources)
    ]


def _stage_of(path: str) -> str:
    folders = {"homogenized": "homogenize", "simulated": "simulate", "scaled": "scale", "compared": "compare"}
    return next((folders[part] for part in reversed(Path(path).parts) if part in folders), "")


def _by_kind(kinds: Iterable[str]) -> list[str]:
    found: dict[str, int] = {}
    for kind in kinds:
        found[kind] = found.get(kind, 0) + 1
    words = {
        "Activity": ("set of recordings", "sets of recordings"),
        "Connectome": ("connectome", "connectomes"),
        "Stack": ("stack", "stacks"),
    }
    return [
        _count(number, *words.get(kind, (f"{kind.lower()} store", f"{kind.lower()} stores")))
        for kind, number in found.items()
    ]


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def in_words(links: Sequence[Stage]) -> str:
    """The chain as a sentence."""
    return "; ".join(f"{link.name}: {', '.join(filter(None, [*link.counts, link.time]))}" for link in links)
