"""A drawn figure with all that goes with it: title, caption, numbers, what it shows in words, and how to draw it again."""

import io
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from allometry import files
from allometry.errors import ReportError
from allometry.report.drawing import numbers as drawn_numbers
from allometry.report.drawing import style, ticks
from allometry.report.drawing.alternative import alternative_text
from allometry.report.drawing.csv_text import as_csv

# By the end of a file's name, the metadata that is left out: with a date or a version, the same data would not give the same bytes.
_METADATA: dict[str, dict[str, None]] = {
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
FORMATS = (".png", *_METADATA, ".csv")
"""Ends of the names of files that a drawing can be written to; `.csv` holds its numbers."""
_WHITE = 251  # what is lighter is meant to be white
REPORT = (".png", ".svg", ".csv")
"""Formats of every figure of the report."""


@dataclass(frozen=True)
class Drawing:
    """A figure of one or several stores.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        The figure itself, to be changed at will.
    caption : str
        What is shown, with the numbers that a reader needs.
    title : str
        One line.
    seen : str
        What one sees, in words; empty: it is made from the numbers.
    stores : tuple of str
        Paths of the stores that it was drawn from.
    plot : str
        Its name for `allometry plot`, and that of the function in `allometry.report.figures`.
    options : mapping
        Options that differ from their defaults.
    core : Axes or None
        The panel that a small image of it shows; None: all of it.
    """

    figure: Figure
    caption: str
    title: str = ""
    seen: str = ""
    stores: tuple[str, ...] = ()
    plot: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    core: Axes | None = None

    @cached_property
    def numbers(self) -> pd.DataFrame:
        """Everything that the panels show: columns of `drawing.numbers.COLUMNS`."""
        return drawn_numbers.table(self.figure)

    @cached_property
    def alternative(self) -> str:
        """What the figure shows, in words."""
        return self.seen or alternative_text(drawn_numbers.pieces(self.figure))

    def described(self) -> "Description":
        """What is kept beside the files."""
        core = (0.0, 0.0, 1.0, 1.0)
        if self.core is not None:
            box = self.core.get_position()
            core = (round(box.x0, 4), round(1 - box.y1, 4), round(box.x1, 4), round(1 - box.y0, 4))
        options = dict(sorted(self.options.items()))
        return Description(self.title, self.caption, self.alternative, self.stores, self.plot, options, core)

    def save(self, path: str | Path, formats: Sequence[str] = ()) -> list[Path]:
        """Write the figure; files appear when they are complete.

        Parameters
        ----------
        path : path
            File to write, its end being one of `FORMATS`; or, with `formats`, the same without an end.
        formats : sequence of str
            Ends of the names of several files, `.png` say: what is drawn is laid out once for all of them. `.json` is the
            description.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        ReportError
            A file cannot be written, or its name says no format.
        """
        path = Path(path)
        named = [path] if not formats else [path.with_name(path.name + suffix) for suffix in formats]
        for file in named:
            if file.suffix.lower() not in (*FORMATS, ".json"):
                raise ReportError(
                    "the name of the image says no format that can be drawn",
                    where=str(file),
                    expected=f"a name that ends in {', '.join(FORMATS)}",
                    do=f"for example {file.with_suffix('.png')}",
                )
        with style.context(), files.writing(path, ReportError), laid_out(self.figure):
            for file in named:
                self._write(file)
        return named

    def _write(self, file: Path) -> None:
        suffix = file.suffix.lower()
        if suffix == ".csv":
            files.write_text(file, as_csv(self.figure))
        elif suffix == ".json":
            files.write_text(file, self.described().text())
        else:
            with files.atomic(file) as stream:
                if suffix == ".png":
                    stream.write(self._png())
                else:
                    self.figure.savefig(stream, format=suffix.removeprefix("."), metadata=_METADATA[suffix])

    def _png(self) -> bytes:
        """The image in 256 colours: a third of the size of one in all colours, and to the eye the same."""
        drawn, stream = io.BytesIO(), io.BytesIO()
        self.figure.savefig(drawn, format="raw")
        dpi = float(matplotlib.rcParams["savefig.dpi"])
        width, height = (int(inches * dpi) for inches in self.figure.get_size_inches())
        image = Image.frombytes("RGBA", (width, height), drawn.getvalue()).convert("RGB")
        few = image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.putpalette([255 if level > _WHITE else level for level in few.getpalette() or []])
        few.save(stream, "png", dpi=(dpi, dpi))
        return stream.getvalue()

    def _repr_png_(self) -> bytes:
        """Show the figure in a notebook."""
        with style.context(), laid_out(self.figure):
            return self._png()


@dataclass(frozen=True)
class Description:
    """What goes with the files of a figure, kept beside them as JSON.

    Attributes
    ----------
    title, caption, alternative, stores, plot, options
        As of the `Drawing`.
    core : (float, float, float, float)
        Left, upper, right and lower border of what a small image shows, as shares of width and height.
    """

    title: str
    caption: str
    alternative: str
    stores: tuple[str, ...]
    plot: str
    options: Mapping[str, Any]
    core: tuple[float, float, float, float]

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, image: str | Path) -> "Description":
        """Read the description beside an image."""
        values = json.loads(Path(image).with_suffix(".json").read_text(encoding="utf-8"))
        return cls(**{**values, "stores": tuple(values["stores"]), "core": tuple(values["core"])})

    def command(self, out: str) -> str:
        """Command that draws the figure, to a file called `out`."""
        options = [f"--set {shlex.quote(f'{name}={json.dumps(value)}')}" for name, value in self.options.items()]
        stores = " ".join(map(shlex.quote, self.stores))
        return " ".join(["allometry plot", stores, f"--plot {self.plot}", *options, f"--out {shlex.quote(out)}"])

    def call(self) -> str:
        """The same in Python."""
        given = [repr(path) for path in self.stores]
        stores = given[0] if len(given) == 1 else f"[{', '.join(given)}]"
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"figures.{self.plot}({stores}{options})"


@contextmanager
def laid_out(figure: Figure) -> Iterator[None]:
    """Lay a figure out and find its ticks once, for all that is drawn of it meanwhile; afterwards it is as it was.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Any figure.
    """
    ticks.plain(figure)
    engine, dpi = figure.get_layout_engine(), figure.get_dpi()
    # letters are fitted to pixels: what was laid out for others is a little wider or narrower in the image
    figure.set_dpi(matplotlib.rcParams["savefig.dpi"])
    with ticks.light(figure):
        if engine is not None:
            # room for the labels of ticks that come with the room of the first time
            engine.execute(figure)
            # with any engine, be it one that does nothing, matplotlib draws a figure twice for every file
            figure.set_layout_engine(None)
        try:
            with ticks.found_once(figure):
                yield
        finally:
            figure.set_layout_engine(engine)
            figure.set_dpi(dpi)
