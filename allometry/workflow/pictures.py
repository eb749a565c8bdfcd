"""Figures of the report: what draws each, and from which stores."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A figure of the report.

    Attributes
    ----------
    plot : str
        Function of `allometry.report.figures` that draws it.
    stores : tuple of str
        Paths of the stores that it is drawn from, in the order of its arguments.
    options : dict
        Options of the function.
    """

    plot: str
    stores: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """Figures of one kind of result, by name."""

    drawn: dict[str, Figure] = field(default_factory=dict)

    def zarrs(self) -> list[str]:
        """Every store that is drawn."""
        return list(dict.fromkeys(path for figure in self.drawn.values() for path in figure.stores))

    def manifests(self) -> list[str]:
        """Their manifests."""
        return [path.removesuffix(".zarr") + ".manifest.json" for path in self.zarrs()]

    def files(self, suffix: str) -> list[str]:
        """Files of one format: `.png`, `.svg`, `.csv`, or `.json` for their descriptions."""
        return [f"results/report/figures/{name}{suffix}" for name in self.drawn]

    def described(self) -> dict[str, dict[str, Any]]:
        """What the job that draws them is told."""
        return {name: asdict(figure) for name, figure in self.drawn.items()}
