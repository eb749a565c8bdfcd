"""Benchmark cards of a comparison on one page: what each score is worth, and what model recovery says of its measure.

The compare stage writes the cards as JSON. Here each gets the quotation of model recovery (which is a comparison of its own, so
that neither has to be made again for the other), and all of one comparison are shown on one self-contained page.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from allometry import files
from allometry.errors import ReportError
from allometry.report.drawing import strips, verdicts
from allometry.report.page.recovery_quotes import quotes, sentences
from allometry.report.page.render import environment

CHANCE = {"auc": 0.5, "correlation": 0.0}
"""Score of an uninformed candidate, by the rule of the ceiling."""

ORDER = {"result": 0, "baseline": 1, "control": 2}


def write_cards(cards: Sequence[str], recovery: Sequence[str], data: Sequence[str], pages: Sequence[str]) -> None:
    """Write the cards of every comparison as JSON, with what model recovery says, and as a page.

    Parameters
    ----------
    cards : sequence of path
        `{comparison}.cards.json` of the compare stage.
    recovery : sequence of path
        Scores stores of comparisons of kind `model_recovery`.
    data, pages : sequence of path
        JSON and HTML files to write, in the order of `cards`.
    """
    quoted = quotes(recovery)
    for source, target, page in zip(cards, data, pages):
        complete = [_with_recovery(card, quoted) for card in json.loads(Path(source).read_text("utf-8"))]
        _write(target, json.dumps(complete, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n")
        _write(page, render(complete, Path(source).name.removesuffix(".cards.json"), Path(target).name))


def _with_recovery(card: dict[str, Any], quoted: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    found = [{**quote, "in_words": sentences(quote)} for quote in quoted.get(card["identity"]["measure"], [])]
    return {**card, "validity": {**card["validity"], "recovery": found}}


def render(cards: Sequence[Mapping[str, Any]], comparison: str, data: str) -> str:
    """The page of one comparison.

    Parameters
    ----------
    cards : sequence of dict
        Cards with the quotations of model recovery.
    comparison : str
        Name of the comparison in the configuration.
    data : str
        Name of the JSON file beside the page.
    """
    templates = environment()
    templates.filters |= {"number": number, "probability": probability}
    templates.globals |= {"signs": verdicts.SIGNS}
    # cards that hold nothing but baselines come last
    shown = sorted((_shown(card) for card in cards), key=lambda card: not card["raw"])
    return templates.get_template("cards.html").render(
        comparison=comparison,
        data=data,
        shared=_shared(cards),
        cards=shown,
        measures=list(dict.fromkeys(card["identity"]["measure"] for card in shown)),
        data_sets=list(dict.fromkeys(card["identity"]["data_set"] for card in shown)),
        overview={(card["identity"]["data_set"], card["identity"]["measure"]): card for card in shown},
    )


def table(data: Sequence[str]) -> pd.DataFrame:
    """What a reader of the report's page wants to know before opening the cards: one row per comparison.

    Parameters
    ----------
    data : sequence of path
        JSON files of `write_cards`; the page of each lies beside it.
    """
    rows = []
    for path in data:
        cards = json.loads(Path(path).read_text("utf-8"))
        rows.append(
            {
                "path": Path(path).with_suffix(".html").as_posix(),
                "cards": len(cards),
                "scores": sum(len(card["raw"]) for card in cards),
                **{
                    f"{sign} {verdict}": sum(_verdicts(card).get(verdict, 0) for card in cards)
                    for verdict, sign in verdicts.SIGNS.items()
                },
                "with a ceiling": sum(card["ceiling"]["low"] is not None for card in cards),
                "with model recovery": sum(bool(card["validity"]["recovery"]) for card in cards),
                "flags": ", ".join(
                    f"{count} {what}"
                    for count, what in (
                        (sum(card["ceiling"]["is_low"] for card in cards), "low ceilings"),
                        (sum(_above(row) for card in cards for row in card["raw"]), "scores above their ceiling"),
                    )
                    if count
                ),
            }
        )
    return pd.DataFrame(rows)


def _shown(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card with what its page derives: anchor, rows with their strips, range of the results, flags."""
    rows = [{"role": "result", **row} for row in card["raw"]] + list(card["baselines"])
    place = {name: index for index, name in enumerate(dict.fromkeys(row["candidate"] for row in rows))}
    rows.sort(key=lambda row: (place[row["candidate"]], ORDER[row["role"]]))
    axis = strips.axis_of(rows, CHANCE.get(card["ceiling"]["rule"]))
    nulls: dict[str, list[str]] = {}
    for row in rows:
        if row.get("null"):
            groups = nulls.setdefault(row["null"], [])
            groups += [group for group in [row["group"].replace("_", " ")] if group and group not in groups]
    for row in rows:
        row["name"] = _readable(row["candidate"])
        row["strip"] = strips.strip(row, axis, row["role"]) if axis else ""
        row["badge"] = verdicts.badge(row.get("verdict", ""), row.get("worth", ""))
        row["apart"] = verdicts.difference(row)
        row["above"] = _above(row)
    scores = [row["score"] for row in card["raw"] if row["score"] is not None]
    return {
        **card,
        "anchor": re.sub(r"[^a-z0-9]+", "-", f"{card['identity']['measure']} {card['identity']['data_set']}".lower()),
        "rows": rows,
        "scale": strips.scale(axis) if axis else "",
        "has": {
            name: any(row.get(name) is not None for row in rows) for name in ("ceiled", "p", "p_fdr", "ceiling_low")
        },
        "nulls": nulls,
        "judged": any(row.get("verdict") or row.get("beside_seeds") for row in rows),
        "verdicts": _verdicts(card),
        "range": [min(scores), max(scores)] if scores else None,
        "above": sum(row["above"] for row in rows if row["role"] == "result"),
    }


def _above(row: Mapping[str, Any]) -> bool:
    """Whether a score is above its ceiling."""
    return row.get("ceiled") is not None and row["ceiled"] > 1


def _verdicts(card: Mapping[str, Any]) -> dict[str, int]:
    """How many results have each verdict."""
    found = [row.get("verdict") for row in card["raw"]]
    return {verdict: count for verdict in verdicts.SIGNS if (count := found.count(verdict))}


def _readable(candidate: str) -> Markup:
    """A name without the hash of a simulated point, that may be broken at its underscores."""
    return Markup("_<wbr>").join(escape(re.sub(r"_[0-9a-f]{8}$", "", candidate)).split("_"))


def _shared(cards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the cards of one comparison have in common, said once."""
    first = cards[0]
    return {
        **{key: first["identity"][key] for key in ("comparison", "species", "citation", "licence", "stores")},
        "statistics": first["statistics"],
        "notes": first["validity"]["notes"],
        "cost": first["cost"],
    }


def number(value: float | None) -> str:
    """A score: three decimals, or four digits; nothing for a missing number."""
    if value is None:
        return ""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.4g}"


def probability(value: float | None) -> str:
    """A p: three decimals, or its order of magnitude."""
    if value is not None and 0 < value < 0.0005:
        return re.sub("e-0?", "e-", f"{value:.0e}")
    return number(value)


def _write(path: str | Path, text: str) -> None:
    with files.writing(path, ReportError):
        files.write_text(Path(path), text)
