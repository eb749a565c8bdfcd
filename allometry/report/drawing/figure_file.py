"""What goes with a figure: title, caption and the stores it was drawn from, kept beside it as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from allometry import files
from allometry.errors import ReportError


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    Attributes
    ----------
    title : str
        One line.
    caption : str
        What is shown, with the numbers a reader needs.
    stores : tuple of str
        Paths of the stores that the figure was drawn from, as the workflow names them.
    """

    title: str
    caption: str
    stores: tuple[str, ...]

    def save(self, image: str | Path) -> None:
        """Write the description beside `image`."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False)
        with files.writing(image, ReportError):
            files.write_text(Path(image).with_suffix(".json"), text + "\n")

    @classmethod
    def load(cls, image: str | Path) -> "Figure":
        """Read the description beside `image`."""
        values = json.loads(Path(image).with_suffix(".json").read_text(encoding="utf-8"))
        return cls(values["title"], values["caption"], tuple(values["stores"]))
