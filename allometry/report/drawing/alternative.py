"""What a figure shows, in words for those who do not see it: made from the numbers of its panels."""

from collections.abc import Iterable

import numpy as np

from allometry.report.drawing.numbers import Piece

MOST_PANELS, MOST_NAMES = 8, 4
MARKS = {
    "point": "points",
    "point with interval": "points with intervals",
    "line": "curves",
    "bar": "bars",
    "step": "histograms",
    "matrix": "a matrix",
    "matrix, upper half": "a symmetric matrix",
}


def alternative_text(pieces: Iterable[Piece]) -> str:
    """Panels with what is in them and over which range.

    Parameters
    ----------
    pieces : iterable of Piece
        Of `numbers.pieces`.
    """
    panels: dict[str, list[Piece]] = {}
    for piece in pieces:
        if piece.size and piece.mark in MARKS:
            panels.setdefault(piece.panel, []).append(piece)
    said = [_panel(title, found) for title, found in list(panels.items())[:MOST_PANELS]]
    more = len(panels) - len(said)
    count = f"{len(panels)} panels. " if len(panels) > 1 else ""
    return count + " ".join(said) + (f" And {more} more." if more else "")


def _panel(title: str, found: list[Piece]) -> str:
    parts = []
    for mark, name in MARKS.items():
        mine = [piece for piece in found if piece.mark == mark]
        if not mine:
            continue
        if mark.startswith("matrix"):
            shape = " by ".join(map(str, mine[0].shape))
            parts.append(f"{name} of {shape}, {_range(np.concatenate([piece.columns['value'] for piece in mine]))}")
            continue
        count = len(mine) if mark in ("line", "step") else sum(piece.size for piece in mine)
        names = list(dict.fromkeys(piece.series for piece in mine if piece.series))
        listed = (
            f" ({', '.join(names[:MOST_NAMES])}{' and others' if len(names) > MOST_NAMES else ''})" if names else ""
        )
        said = _axis(mine)
        word = name.replace("s ", " ", 1).removesuffix("s") if count == 1 else name
        parts.append(f"{count:,} {word}{listed}{f', {said}' if said else ''}")
    return f"{title.rstrip('.')}: {'; '.join(parts)}."


def _axis(found: list[Piece]) -> str:
    """Range of what is measured: along the axis whose places have no names."""
    named = any("y_name" in piece.columns for piece in found)
    axis, label = ("x", found[0].x_is) if named else ("y", found[0].y_is)
    values = [piece.columns[key] for piece in found for key in (axis, f"{axis}_high") if key in piece.columns]
    said = _range(np.concatenate(values)) if values else ""
    return f"{label} {said}".strip() if said else ""


def _range(values: np.ndarray) -> str:
    values = values[np.isfinite(values)]
    if not values.size:
        return ""
    low, high = f"{values.min():.3g}".replace("-", "−"), f"{values.max():.3g}".replace("-", "−")
    return f"at {low}" if low == high else f"from {low} to {high}"
