"""Neuron labels of recordings: canonical names, ambiguous names, duplicates.

A label in a file is one of: a canonical name (`AVAL`); an alias of one (`VB02`, `avar`); an ambiguous name that stands
for several (`AWC?`, `RMED/V`, `RMED/RID`, `AVA`); a word for "not identified" (empty, a bare number, `nan`); or
something unknown. Only the first two say which neuron a trace belongs to. What to do with ambiguous names is the user's
choice (`label_policy`); what was done is recorded.

A label that is on the canonical axis letter for letter is that name, whatever else it looks like: on an axis made of the labels
themselves, `1`, `cell_1`, `a1` and `A1` are four names. The conventions above are for what is left, and are those of the worm.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from allometry.errors import ReaderError

LabelPolicy = Literal["strict", "nearest", "drop"]
Status = Literal["named", "ambiguous", "unidentified", "unknown"]

# Older or functional names for one neuron; which of AWCL/AWCR is ON differs between animals, hence ambiguous.
ALIASES = {"AWCON": ("AWCL", "AWCR"), "AWCOFF": ("AWCL", "AWCR"), "AVG1": ("AVG",), "RIML/R": ("RIML", "RIMR")}
UNIDENTIFIED = {
    "",
    "NAN",
    "NONE",
    "NULL",
    "NA",
    "N/A",
    "---",
    "-",
    "?",
    "??",
    "???",
    "UNKNOWN",
    "UNDEFINED",
    "MISSING",
    "[]",
}
SUFFIXES = ("L", "R", "D", "V", "DL", "DR", "VL", "VR")


@dataclass(frozen=True)
class Label:
    """What one label in a file means.

    Attributes
    ----------
    raw : str
        As in the file.
    status : {"named", "ambiguous", "unidentified", "unknown"}
        `named` if exactly one neuron is meant without doubt.
    candidates : tuple of str
        Canonical names that the label may stand for; one if named, none if unidentified or unknown.
    """

    raw: str
    status: Status
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assignment:
    """Labels of the ROIs of one recording after the policy was applied.

    Attributes
    ----------
    label : list of str
        Canonical name of each ROI, or "".
    raw : list of str
        Label in the file.
    candidates : list of str
        The possible names of an ambiguous ROI joined by "/", or "".
    notes : dict
        What the user should know: ambiguous, duplicated and unknown labels and what was done with them.
    """

    label: list[str]
    raw: list[str]
    candidates: list[str]
    notes: dict[str, Any] = field(default_factory=dict)


def text(value: object) -> str:
    """A label as a stripped string, whatever type a file format delivers (bytes, 0-d arrays, NaN, None, numbers)."""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size == 1 else ("" if value.size == 0 else "".join(map(str, value.ravel())))
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip("\x00 \t\r\n")
    if isinstance(value, float | np.floating):
        # Formats without integers (MATLAB) deliver ids as floats; rounding to six digits would merge long ones.
        return "" if np.isnan(value) else str(int(value)) if float(value).is_integer() else str(value)
    return str(value).strip("\x00 \t\r\n")


def without_zero(name: str) -> str:
    """`VB02` -> `VB2`; a zero that ends the name stays (`VB10`, `AS10`)."""
    return re.sub(r"^([A-Z]+)0+([1-9][0-9]?)$", r"\1\2", name)


def parse(raw: object, neurons: Sequence[str]) -> Label:
    """Decide what one label means.

    Parameters
    ----------
    raw : object
        The label in the file.
    neurons : sequence of str
        Canonical names.

    Returns
    -------
    Label
    """
    return _parse(text(raw), _Axis(neurons))


class _Axis:
    """The canonical names, exactly and without regard to case."""

    def __init__(self, neurons: Sequence[str]) -> None:
        self.exact = frozenset(neurons)
        self.upper = {name.upper(): name for name in neurons}


def _parse(raw: str, axis: _Axis) -> Label:
    if raw in axis.exact and raw:
        return Label(raw, "named", (raw,))
    known = axis.upper
    upper = raw.upper().replace(" ", "").replace("_", "")
    if upper in UNIDENTIFIED or re.fullmatch(r"[0-9.#]+|(ROI|NEURON|CELL|Q|UNK)?-?[0-9]+", upper):
        return Label(raw, "unidentified")
    if upper in known:
        return Label(raw, "named", (known[upper],))
    if without_zero(upper) in known:
        return Label(raw, "named", (known[without_zero(upper)],))
    if upper in ALIASES:
        found = tuple(known[name] for name in ALIASES[upper] if name in known)
        return Label(raw, "named" if len(found) == 1 else "ambiguous", found) if found else Label(raw, "unknown")
    doubtful = upper.rstrip("?*")
    names: list[str] = []
    for part in _alternatives(doubtful):
        for name in _expand(part.rstrip("?*"), known):
            if name not in names:
                names.append(name)
    return Label(raw, "ambiguous", tuple(names)) if names else Label(raw, "unknown")


def _alternatives(name: str) -> list[str]:
    """`RMED/RID` -> [RMED, RID]; `RMED/V` -> [RMED, RMEV]; `AVAL/R` -> [AVAL, AVAR]; `VB1/2` -> [VB1, VB2]."""
    parts = [part for part in re.split(r"[/,;|]|(?<=[A-Z0-9])OR(?=[A-Z]{3})", name) if part]
    if not parts:
        return []
    first = parts[0].rstrip("?*")
    whole = [first]
    for part in parts[1:]:
        part = part.rstrip("?*")
        short = part in SUFFIXES or part.isdigit()
        whole.append(first[: -len(part)] + part if short and len(first) > len(part) else part)
    return whole


def _expand(name: str, known: Mapping[str, str]) -> list[str]:
    """The neuron itself, or the members of a class without side (`AVA` -> AVAL, AVAR; `IL1` -> 6 names)."""
    name = without_zero(name)
    if name in known:
        return [known[name]]
    return [known[name + suffix] for suffix in SUFFIXES if name + suffix in known] if len(name) >= 2 else []


def assign(
    raw: Sequence[object],
    neurons: Sequence[str],
    *,
    policy: LabelPolicy = "strict",
    confidence: Sequence[float] | None = None,
    where: str = "",
) -> Assignment:
    """Give every ROI of a recording its canonical name.

    Parameters
    ----------
    raw : sequence, length n_roi
        Labels in the file.
    neurons : sequence of str
        Canonical names.
    policy : {"strict", "nearest", "drop"}
        Ambiguous labels: `strict` leaves the ROI without a canonical name and keeps the candidates; `nearest` takes the
        first candidate that no other ROI has; `drop` leaves the ROI unlabelled and forgets the candidates.
    confidence : sequence of float, optional
        Confidence of each label; decides between ROIs with the same label.
    where : str
        File and recording, for messages.

    Returns
    -------
    Assignment
        Canonical names are unique. If two ROIs claim one name, the one with the higher confidence keeps it; without a
        difference in confidence neither does (`nearest`: the first one does).

    Raises
    ------
    ReaderError
        If the policy is unknown.
    """
    if policy not in ("strict", "nearest", "drop"):
        raise ReaderError(
            what=f"Unknown label policy {policy!r}.",
            where=where,
            expected="'strict', 'nearest' or 'drop'",
            do="correct `label_policy` in the options of the data set",
        )
    axis = _Axis(neurons)
    parsed = [_parse(text(item), axis) for item in raw]
    label = [item.candidates[0] if item.status == "named" else "" for item in parsed]
    notes: dict[str, Any] = {}
    duplicates = _resolve_duplicates(label, confidence, keep_first=policy == "nearest")
    if duplicates:
        notes["duplicate_labels"] = duplicates
    ambiguous = [index for index, item in enumerate(parsed) if item.status == "ambiguous"]
    candidates = ["/".join(item.candidates) if item.status == "ambiguous" else "" for item in parsed]
    if policy == "nearest":
        taken = set(label) | {item.candidates[0] for item in parsed if item.status == "named"}
        for index in ambiguous:
            free = next((name for name in parsed[index].candidates if name not in taken), "")
            label[index] = free
            taken.add(free)
    elif policy == "drop":
        candidates = [""] * len(parsed)
    if ambiguous:
        done = {"strict": "kept as ambiguous", "nearest": "given the first free name", "drop": "left unlabelled"}
        pairs = [f"{parsed[i].raw} -> {label[i]}" if label[i] else parsed[i].raw for i in ambiguous]
        notes["ambiguous_labels"] = {"policy": f"{policy}: {done[policy]}", "labels": pairs}
    named = [(item.raw, item.candidates[0]) for item in parsed if item.status == "named"]
    renamed = sorted({f"{raw_name} -> {name}" for raw_name, name in named if raw_name != name})
    if renamed:
        notes["renamed_labels"] = renamed
    unknown = sorted({item.raw for item in parsed if item.status == "unknown"})
    if unknown:
        notes["unknown_labels"] = unknown
    return Assignment(label=label, raw=[item.raw for item in parsed], candidates=candidates, notes=notes)


def _resolve_duplicates(label: list[str], confidence: Sequence[float] | None, *, keep_first: bool) -> dict[str, str]:
    """Blank all but one ROI of each repeated name, in place; return what was done by name."""
    places: dict[str, list[int]] = {}
    for index, name in enumerate(label):
        if name:
            places.setdefault(name, []).append(index)
    done: dict[str, str] = {}
    for name, indices in places.items():
        if len(indices) == 1:
            continue
        keep: int | None = indices[0] if keep_first else None
        reason = "the first was kept" if keep_first else "none was kept: equal confidence"
        if confidence is not None:
            score = np.nan_to_num(np.asarray([confidence[i] for i in indices], dtype=float), nan=-np.inf)
            best = np.flatnonzero(score == score.max())
            if best.size == 1:
                keep, reason = indices[int(best[0])], "the most confident was kept"
        for index in indices:
            if index != keep:
                label[index] = ""
        done[name] = f"{len(indices)} ROIs (indices {', '.join(map(str, indices))}): {reason}"
    return done
