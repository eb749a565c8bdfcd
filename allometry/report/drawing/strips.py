"""Forest plots as rows of a table: each row of a benchmark card is a strip of one axis, drawn as inline SVG.

A page holds up to a hundred cards of thirty rows; strips of some 300 bytes beside their numbers stay sharp at every zoom and
take no time, where an image per card would take a minute and a few megabytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

WIDTH, MARGIN = 280, 18
NUMBERS = ("score", "ci_low", "ci_high", "ceiling_low", "ceiling_high")


@dataclass(frozen=True)
class Axis:
    """One axis for all strips of a card, from `low` to `high`, with `ticks`; `chance` is a line of its own."""

    low: float
    high: float
    ticks: tuple[float, ...]
    chance: float | None

    def x(self, value: float) -> float:
        """Position in the strip; what lies outside stays at the border."""
        share = (value - self.low) / (self.high - self.low)
        return round(MARGIN + (WIDTH - 2 * MARGIN) * min(max(share, 0.0), 1.0), 1)


def axis_of(rows: Iterable[Mapping[str, Any]], chance: float | None) -> Axis | None:
    """Axis that holds every score, interval and ceiling of a card; None without any score."""
    values = [row[name] for row in rows for name in NUMBERS if row.get(name) is not None]
    if not values:
        return None
    low, high = min(values), max(values)
    # chance belongs to the picture unless it would squeeze what is shown to less than half of it
    if chance is not None and max(high, chance) - min(low, chance) <= 2 * max(high - low, 0.1):
        low, high = min(low, chance), max(high, chance)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    ticks = np.asarray(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    inside = chance if chance is not None and ticks[0] <= chance <= ticks[-1] else None
    return Axis(float(ticks[0]), float(ticks[-1]), tuple(float(tick) for tick in ticks), inside)


def strip(row: Mapping[str, Any], axis: Axis, role: str) -> Markup:
    """A row's score with its interval, before its ceiling band."""
    # heights in per cent: the strip fills its row, so that lines continue from row to row
    parts = [f'<line class="grid" x1="{axis.x(tick)}" x2="{axis.x(tick)}" y2="100%"/>' for tick in axis.ticks]
    if axis.chance is not None:
        parts.append(f'<line class="chance" x1="{axis.x(axis.chance)}" x2="{axis.x(axis.chance)}" y2="100%"/>')
    low, high = row.get("ceiling_low"), row.get("ceiling_high")
    if low is not None:
        left = axis.x(low)
        width = round(max(axis.x(high) - left, 3), 1) if high is not None else 3
        parts.append(f'<rect class="ceiling" x="{left}" width="{width}" height="100%"/>')
    if row.get("ci_low") is not None and row.get("ci_high") is not None:
        ends = f'x1="{axis.x(row["ci_low"])}" x2="{axis.x(row["ci_high"])}"'
        parts.append(f'<line class="{role}" {ends} y1="50%" y2="50%"/>')
    if row.get("score") is not None:
        parts.append(f'<circle class="{role}" cx="{axis.x(row["score"])}" cy="50%" r="4"/>')
    return _svg("".join(parts))


def scale(axis: Axis) -> Markup:
    """The numbers of the axis."""
    texts = [f'<text x="{axis.x(tick)}" y="12" text-anchor="middle">{tick:.6g}</text>' for tick in axis.ticks]
    return _svg("".join(texts))


def _svg(content: str) -> Markup:
    return Markup(f'<svg width="{WIDTH}" role="presentation">{content}</svg>')
