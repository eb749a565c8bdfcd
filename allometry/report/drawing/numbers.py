"""Numbers of a figure: everything that its panels show, read from what was drawn, as one table.

So the table cannot say anything else than the figure, whoever drew it, a plugin among them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.category import StrCategoryFormatter
from matplotlib.collections import Collection, FillBetweenPolyCollection, LineCollection, PathCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.ticker import FixedLocator

TEXTS = ("panel", "mark", "series", "x_is", "x_name", "y_is", "y_name")
COLUMNS = (
    *("panel", "mark", "series"),
    *("x_is", "x_name", "x", "x_low", "x_high"),
    *("y_is", "y_name", "y", "y_low", "y_high"),
    "value",
)
"""What is drawn where: the panel, the kind of mark and its series; place, ends and name along each axis; value of a colour."""

_UNNAMED = re.compile(r"_(child|container|nolegend|line|image|patch|collection).*|_*")
_DIGITS = 4  # of the values of a matrix
_NAMES = "allometry_names"

Floats = npt.NDArray[np.float64]


@dataclass(eq=False)
class Piece:
    """Marks of one kind and series in one panel: columns of equal length, `x_name` and `y_name` as objects."""

    panel: str
    mark: str
    series: str
    columns: dict[str, npt.NDArray[Any]]
    x_is: str = ""
    y_is: str = ""
    shape: tuple[int, ...] = field(default=())

    @property
    def size(self) -> int:
        """Number of rows."""
        return max((len(values) for values in self.columns.values()), default=0)


def name_entries(image: AxesImage, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Say what the rows and columns of a matrix are, where there is no room for their names beside it."""
    setattr(image, _NAMES, (list(rows), list(columns)))


def unlisted(name: str) -> str:
    """Label of a series that the numbers name and no legend lists."""
    return f"_{name}"


def table(figure: Figure) -> pd.DataFrame:
    """Numbers of a figure.

    Parameters
    ----------
    figure : Figure
        Any figure of matplotlib.

    Returns
    -------
    DataFrame
        Columns of `COLUMNS`, without those that nothing fills.
    """
    return table_of([piece for piece in pieces(figure) if piece.size])


def table_of(found: Sequence[Piece]) -> pd.DataFrame:
    """The table of some of the pieces."""
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in COLUMNS:
        parts = [_column(piece, name) for piece in found]
        joined = np.concatenate(parts) if parts else np.zeros(0)
        filled = (joined != "").any() if name in TEXTS else np.isfinite(joined).any()
        if filled or name in ("panel", "mark"):
            columns[name] = joined
    return pd.DataFrame(columns)


def _column(piece: Piece, name: str) -> npt.NDArray[Any]:
    if name in piece.columns:
        return piece.columns[name]
    if name in TEXTS:
        return np.full(piece.size, getattr(piece, name, ""), dtype=object)
    return np.full(piece.size, np.nan)


def pieces(figure: Figure) -> Iterator[Piece]:
    """What is drawn, panel by panel."""
    titles: dict[Any, str] = {}
    for number, ax in enumerate(figure.axes, start=1):
        if ax.get_label() == "<colorbar>" or not ax.get_visible():
            continue
        cell = ax.get_subplotspec()
        # a second scale belongs to the panel that it lies on
        title = titles.setdefault(cell if cell is not None else number, panel_title(ax) or f"panel {number}")
        for piece in _joined(_drawn(ax)):
            piece.panel = title
            piece.x_is, piece.y_is = _line(ax.get_xlabel()), _line(ax.get_ylabel())
            yield piece


def panel_title(ax: Axes) -> str:
    """Title of a panel in one line; without one, what its vertical axis is."""
    return _line(ax.get_title(loc="left") or ax.get_title() or ax.get_ylabel())


def _line(text: str) -> str:
    return re.sub(r"\s*\n\s*", ", ", text.strip())


def _joined(found: Iterator[Piece]) -> Iterator[Piece]:
    """Pieces of one mark and series as one, since bars are often drawn one by one; curves stay apart."""
    groups: dict[tuple[Any, ...], list[Piece]] = {}
    for number, piece in enumerate(found):
        alone = number if piece.mark in ("line", "matrix", "matrix, upper half") and not piece.series else -1
        groups.setdefault((piece.mark, piece.series, frozenset(piece.columns), alone), []).append(piece)
    for (mark, series, names, _), group in groups.items():
        if len(group) == 1:
            yield group[0]
        else:
            columns = {name: np.concatenate([piece.columns[name] for piece in group]) for name in sorted(names)}
            yield Piece("", str(mark), str(series), columns)


def _drawn(ax: Axes) -> Iterator[Piece]:
    done: set[int] = set()
    for container in ax.containers:
        made = _container(ax, container)
        done |= {id(child) for child in _children(container)}
        if made is not None:
            yield made
    for artist in [*ax.lines, *ax.patches, *ax.collections, *ax.images]:
        if id(artist) in done or not artist.get_visible():
            continue
        made = _artist(ax, artist)
        if made is not None and made.size:
            yield made


def _children(container: Any) -> Iterator[Artist]:
    for child in container:
        if isinstance(child, tuple):
            yield from child
        elif child is not None:
            yield child


def _series(label: object) -> str:
    text = str(label) if label is not None else ""
    return "" if _UNNAMED.fullmatch(text) else _line(text.removeprefix("_"))


def _container(ax: Axes, container: Any) -> Piece | None:
    series = _series(container.get_label())
    if isinstance(container, ErrorbarContainer):
        return _errorbars(ax, container, series)
    if isinstance(container, BarContainer):
        return _rectangles(ax, list(container.patches), series, container.orientation or "vertical")
    return None


def _errorbars(ax: Axes, container: ErrorbarContainer, series: str) -> Piece | None:
    line, _, bars = container.lines
    columns: dict[str, npt.NDArray[Any]] = {}
    flags = [axis for axis, there in (("x", container.has_xerr), ("y", container.has_yerr)) if there]
    for axis, collection in zip(flags, bars):
        ends = np.array([path.vertices for path in collection.get_paths()], float).reshape(-1, 2, 2)
        along = 0 if axis == "x" else 1
        columns[f"{axis}_low"], columns[f"{axis}_high"] = ends[:, 0, along], ends[:, 1, along]
        for other, name in enumerate("xy"):
            columns.setdefault(name, ends[:, :, other].mean(axis=1))
    if line is not None:
        columns |= {"x": _floats(line.get_xdata(orig=False)), "y": _floats(line.get_ydata(orig=False))}
    if not columns or len({len(values) for values in columns.values()}) > 1:
        return None
    return Piece("", "point with interval", series, _named(ax, columns))


def _rectangles(ax: Axes, patches: Sequence[Rectangle], series: str, orientation: str) -> Piece:
    box = np.array([[p.get_x(), p.get_width(), p.get_y(), p.get_height()] for p in patches], float).reshape(-1, 4)
    columns: dict[str, npt.NDArray[Any]] = {
        "x_low": box[:, 0],
        "x_high": box[:, 0] + box[:, 1],
        "y_low": box[:, 2],
        "y_high": box[:, 2] + box[:, 3],
    }
    across = "x" if orientation == "vertical" else "y"
    columns[across] = (columns[f"{across}_low"] + columns[f"{across}_high"]) / 2
    return Piece("", "bar", series, _named(ax, columns))


def _artist(ax: Axes, artist: Artist) -> Piece | None:
    series = _series(artist.get_label())
    if isinstance(artist, Line2D):
        return _curve(ax, artist, series)
    if isinstance(artist, StepPatch):
        values, edges, _ = artist.get_data()
        return Piece(
            "", "step", series, {"x_low": _floats(edges[:-1]), "x_high": _floats(edges[1:]), "y": _floats(values)}
        )
    if isinstance(artist, Rectangle):
        return _band(ax, artist, series)
    if isinstance(artist, AxesImage):
        return _matrix(ax, artist)
    return _collection(ax, artist, series) if isinstance(artist, Collection) else None


def _curve(ax: Axes, line: Line2D, series: str) -> Piece | None:
    x, y = _floats(line.get_xdata(orig=False)), _floats(line.get_ydata(orig=False))
    of_x, of_y = line.get_transform().contains_branch_seperately(ax.transData)
    if not x.size or not (of_x or of_y):
        return None
    if not of_x:
        return Piece("", "level", series, _named(ax, {"y": y[:1]}))
    if not of_y:
        return Piece("", "position", series, _named(ax, {"x": x[:1]}))
    mark = "point" if line.get_linestyle() in ("None", "none", "", " ") else "line"
    return Piece("", mark, series, _named(ax, {"x": x, "y": y}))


def _band(ax: Axes, patch: Rectangle, series: str) -> Piece | None:
    of_x, of_y = patch.get_transform().contains_branch_seperately(ax.transData)
    columns: dict[str, npt.NDArray[Any]] = {}
    if of_x:
        columns |= {"x_low": _floats([patch.get_x()]), "x_high": _floats([patch.get_x() + patch.get_width()])}
    if of_y:
        columns |= {"y_low": _floats([patch.get_y()]), "y_high": _floats([patch.get_y() + patch.get_height()])}
    return Piece("", "band", series, _named(ax, columns)) if columns else None


def _collection(ax: Axes, artist: Collection, series: str) -> Piece | None:
    if isinstance(artist, PathCollection):
        place: Floats = np.ma.filled(np.ma.asarray(artist.get_offsets(), float), np.nan)
        columns: dict[str, npt.NDArray[Any]] = {"x": place[:, 0], "y": place[:, 1]}
        colour = artist.get_array()
        if colour is not None and len(colour) == len(place):
            columns["value"] = _floats(colour)
        return Piece("", "point", series, _named(ax, columns))
    paths = artist.get_paths()
    if isinstance(artist, FillBetweenPolyCollection) and len(paths) == 1:
        corners = np.asarray(paths[0].vertices, float)
        half = (len(corners) - 3) // 2
        low, high = corners[1 : half + 1], corners[half + 2 : 2 * half + 2][::-1]
        return Piece("", "band", series, {"x": low[:, 0], "y_low": low[:, 1], "y_high": high[:, 1]})
    if isinstance(artist, LineCollection):
        ends = np.array([np.asarray(path.vertices)[[0, -1]] for path in paths], float).reshape(-1, 2, 2)
        columns = {"x_low": ends[:, 0, 0], "x_high": ends[:, 1, 0], "y_low": ends[:, 0, 1], "y_high": ends[:, 1, 1]}
        return Piece("", "segment", series, columns)
    return None


def _matrix(ax: Axes, image: AxesImage) -> Piece | None:
    """Entries of a matrix that are there; of a symmetric one those on and above the diagonal."""
    array = image.get_array()
    if array is None or np.ndim(array) != 2:
        return None
    values: Floats = np.ma.filled(np.ma.asarray(array, float), np.nan)
    rows, columns = getattr(image, _NAMES, (None, None))
    known = np.isfinite(values)
    symmetric = (
        values.shape[0] == values.shape[1]
        and rows == columns
        and np.array_equal(values, values.T, equal_nan=True)
        and len(values) > 1
    )
    if symmetric:
        known &= np.triu(np.ones_like(known))
    row, column = np.nonzero(known)
    found: dict[str, npt.NDArray[Any]] = {"x": column.astype(float), "y": row.astype(float)}
    for axis, index, names in (("x", column, columns), ("y", row, rows)):
        if names is not None:
            found[f"{axis}_name"] = np.array([str(name) for name in names], dtype=object)[index]
    found["value"] = _rounded(values[known])
    mark = "matrix, upper half" if symmetric else "matrix"
    return Piece("", mark, _series(image.get_label()), _named(ax, found), shape=values.shape)


def _rounded(values: Floats) -> Floats:
    """To a few significant digits, so that equal cells are formatted once."""
    size = np.abs(values)
    step = 10.0 ** (np.floor(np.log10(np.where(size > 0, size, 1.0))) - (_DIGITS - 1))
    return np.asarray(np.round(values / step) * step)


def _named(ax: Axes, columns: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Add names of places along an axis whose ticks are names."""
    for axis, of in (("x", ax.xaxis), ("y", ax.yaxis)):
        if axis in columns and f"{axis}_name" not in columns:
            names = _names(of, columns[axis])
            if names is not None:
                columns[f"{axis}_name"] = names
    return columns


def _names(axis: Axis, values: Floats) -> npt.NDArray[Any] | None:
    formatter = axis.get_major_formatter()
    if isinstance(formatter, StrCategoryFormatter):
        names = {value: _line(str(name)) for name, value in vars(formatter)["_units"].items()}
        return np.array([names.get(value, "") for value in values.tolist()], dtype=object)
    if not isinstance(axis.get_major_locator(), FixedLocator) or axis.get_scale() != "linear":
        return None
    places = _floats(axis.get_majorticklocs())
    labels = np.array([_line(str(label)) for label in formatter.format_ticks(places.tolist())], dtype=object)
    if not len(places) or all(_is_number(label) for label in labels):
        return None
    order = np.argsort(places)
    places, labels = places[order], labels[order]
    # where only every other entry is named, its neighbours are not it
    reach = min(0.5, float(np.diff(places).min()) / 2 if len(places) > 1 else 0.5)
    nearest = np.abs(values[:, None] - places[None]).argmin(axis=1) if len(values) else np.zeros(0, int)
    near = np.abs(values - places[nearest]) <= reach
    return np.where(near, labels[nearest], "")


def _is_number(label: str) -> bool:
    try:
        float(label.replace("−", "-"))
    except ValueError:
        return not label
    return True


def _floats(values: Any) -> Floats:
    return np.ravel(np.ma.filled(np.ma.asarray(values, float), np.nan)).astype(np.float64)
