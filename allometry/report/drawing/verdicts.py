"""Verdicts on results as a reader sees them: a badge of word, sign and colour, the difference, and sentences for captions."""

from html import escape
from typing import Any

import pandas as pd
from markupsafe import Markup

from allometry.report.drawing.names import readable

# A sign beside the word, so that neither colour nor language alone says it.
SIGNS = {"better": "▲", "no better": "=", "worse": "▼", "undecided": "?"}
OF_SIZE = {"preserved": "≈", "changed": "≠", "undetermined": "?"}
"""Verdicts of scaling studies."""


def badge(verdict: str, words: str = "") -> Markup:
    """A verdict as a coloured word with its sign; `words` in its place where they say more. Empty without a verdict."""
    sign = (SIGNS | OF_SIZE).get(verdict)
    if sign is None:
        return Markup("")
    kind = verdict.replace(" ", "-")
    return Markup(f'<span class="verdict {kind}">{sign} {escape(words or verdict)}</span>')


def difference(row: Any) -> str:
    """Difference from the baseline with its interval, or that there is none."""
    value, low, high = (row.get(key) for key in ("difference", "difference_low", "difference_high"))
    if value is None or pd.isna(value):
        return ""
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return f"{_signed(value)} (no interval)"
    return f"{_signed(value)} ({_signed(low)} to {_signed(high)})"


def _signed(value: float) -> str:
    digits = f"{value:+.3f}" if abs(value) < 10 else f"{value:+,.4g}"
    return digits.replace("-", "−")


def sentence(row: Any) -> str:
    """What a result is worth, for a caption: `worse than path length, −0.072 (−0.088 to −0.054)`; empty without a verdict."""
    verdict, name = str(row.get("verdict") or ""), readable(str(row.get("baseline") or ""))
    if verdict not in SIGNS:
        return ""
    joint = "against" if verdict == "undecided" else "than"
    return f"{verdict} {joint} {name}, {difference(row)}"


def summary(rows: pd.DataFrame) -> str:
    """Verdicts of all results, counted by measure: one sentence for a caption, empty where nothing was judged."""
    if "verdict" not in rows or not rows["verdict"].astype(str).isin(list(SIGNS)).any():
        return ""
    judged = rows[rows["verdict"].astype(str).isin(list(SIGNS))]
    if "role" in judged:
        judged = judged[judged["role"].astype(str) == "result"]
    parts = []
    for measure, mine in judged.groupby("measure", sort=False):
        counts = []
        for verdict in SIGNS:
            found = mine[mine["verdict"] == verdict]
            if len(found):
                names = list(dict.fromkeys(readable(str(name)) for name in found["baseline"]))
                joint = "against" if verdict == "undecided" else "than"
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                counts.append(f"{len(found)} {verdict} ({joint} {' / '.join(names[:3])}{more})")
        parts.append(f"{readable(str(measure))}: {', '.join(counts)}")
    return f"Verdicts beside the strongest baseline of each result: {'; '.join(parts)}." if parts else ""
