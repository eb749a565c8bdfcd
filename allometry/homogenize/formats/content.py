"""What the generic reader finds in a file, whatever its container."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allometry.errors import ReaderError


@dataclass
class Content:
    """Traces with what names them.

    Parameters
    ----------
    traces : numpy.ndarray
        Two-dimensional.
    time : numpy.ndarray or None
        Time stamps.
    labels : list of str or None
        One per ROI.
    confidence : numpy.ndarray or None
        One per ROI.
    notes : dict
        Where things were found.
    time_first : bool
        Whether the traces are known to be (time, roi), whatever the options say.
    time_unit, units : str or None
        Unit of the time stamps and of the traces where the file says them.
    """

    traces: Any
    time: Any = None
    labels: list[str] | None = None
    confidence: Any = None
    notes: dict[str, Any] = field(default_factory=dict)
    time_first: bool = False
    time_unit: str | None = None
    units: str | None = None


def missing(path: Path, what: str, option: str, have: list[str]) -> ReaderError:
    """The error for something that an option names and the file has not."""
    return ReaderError(
        what=f"No {what}.",
        where=str(path),
        expected=f"what the option {option!r} names",
        do=f"set {option!r} to one of: {', '.join(have[:20]) or '(the file has nothing)'}",
    )
