"""Benchmark cards of the report: the numbers of the JSON on a page without errors, and what model recovery says of a measure."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from allometry import report, stores
from allometry.compare import card, runner
from allometry.compare.inference import verdict
from allometry.compare.inference.statistics import Interval
from allometry.compare.result import row
from allometry.report.drawing import strips
from allometry.report.page import cards
from allometry.report.page.recovery_quotes import quotes, sentences
from tests.report.browser import console
from tests.report.samples import ATTRS

TRUTHS = ["identical", "rescaled", "missed", "different"]


def _recovery(path: Path) -> str:
    """Two variants of one measure: `fine` tells everything apart, `blind` nothing from `rescaled`, nor `missed` from `different`."""
    separation = np.ones((2, 4, 4))
    separation[:, range(4), range(4)] = 0.5
    for a, b in ((0, 1), (2, 3)):
        separation[1, a, b] = separation[1, b, a] = 0.6
    matrices = xr.Dataset(
        {
            "score": (("measure", "truth", "draw"), np.zeros((2, 4, 7))),
            "confusion": (("measure", "truth", "attributed"), np.full((2, 4, 4), 0.25)),
            "separation": (("measure", "truth", "other"), separation),
            "registered": ("measure", ["edge_recall", "edge_recall edge_jaccard"]),
        },
        coords={"measure": ["fine", "blind"], "truth": TRUTHS, "attributed": TRUTHS, "other": TRUTHS},
    )
    rows = [row("recovery_hit_rate", name, "all relations", 0.5) for name in ("fine", "blind")]
    rows += [row("recovery_hit_rate", "fine", "all relations", 0.1, group="shuffled names", role="baseline")]
    attrs = {**ATTRS, "seed": 1, "derived": {"generated": "7 pairs"}}
    stores.write(
        stores.scores([{**r, "ci_low": 0.4, "ci_high": 0.6} for r in rows], {"recovery": matrices}, attrs=attrs), path
    )
    return str(path)


def _cards(path: Path) -> str:
    """Two cards: one with a low ceiling and a score above it, one of a measure without ceiling."""
    rows = [
        row("influence_auc", "a_<b>_0123abcd", "atlas & co", 0.62, group="weight", p=0.01, ceiling=(0.55, 0.58), rule="auc", n=1234,
            baselines=[verdict.Baseline("path_length", 0.7, Interval(-0.08, -0.11, -0.05))]),
        row("influence_auc", "a_<b>_0123abcd", "atlas & co", 0.52, group="degree", role="baseline"),
        row("influence_auc", "a_<b>_0123abcd", "atlas & co", 0.58, group="mirrored", role="control"),
        row("edge_recall", "x", "y", 0.25),
        row("edge_recall", "z", "y", float("nan")),
    ]  # fmt: skip
    tree = stores.scores(rows, attrs={**ATTRS, "seed": 1, "derived": {"ci": "<i>none</i>"}})
    path.write_bytes(card.as_json(tree, {"seconds": 1.5, "peak_mib": 10.0}))
    return str(path)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """JSON and page of two cards."""
    source = _cards(tmp_path / "some.cards.json")
    data, page = tmp_path / "report/cards/some.json", tmp_path / "report/cards/some.html"
    recovery = [_recovery(tmp_path / "truth.zarr")]
    report.write_cards([source], recovery=recovery, data=[str(data)], pages=[str(page)])
    return data, page


def test_quotation_says_what_a_measure_cannot_tell_apart(tmp_path: Path) -> None:
    found = quotes([_recovery(tmp_path / "truth.zarr")])
    assert {name: [entry["variant"] for entry in entries] for name, entries in found.items()} == {
        "edge_recall": ["fine", "blind"],
        "edge_jaccard": ["blind"],
    }
    blind = found["edge_jaccard"][0]
    assert blind["sees"] == ["missed", "different"]
    assert blind["does_not_see"] == ["rescaled"]
    assert blind["confuses"] == [["missed", "different"]]
    assert blind["chance"] == 0.25
    assert blind["hit_rate"] == [0.5, 0.4, 0.6]
    assert sentences(blind) == (
        "blind tells identical from missed or different; does not tell identical from rescaled; nor missed from different. By its score alone 50% [40%, 60%] of pairs are attributed to their own relation (chance 25%)."
    )
    assert found["edge_recall"][0]["confuses"] == []


def test_quotation_of_a_computed_recovery_follows_the_invariances(tmp_path: Path) -> None:
    options = {"kind": "model_recovery", "of": "connectomes", "items": 40, "units": 4, "noise": 0.3}
    runner.run({**options, "draws": 6, "nulls": 20, "seed": 1}, {}, tmp_path / "r.zarr")
    found = quotes([str(tmp_path / "r.zarr")])
    assert found["edge_recall"][0]["does_not_see"] == ["rescaled", "recounted", "shuffled", "added"]
    assert found["edge_precision"][0]["does_not_see"] == ["rescaled", "recounted", "shuffled", "missed"]
    assert found["weight_rank_correlation"][0]["does_not_see"] == ["rescaled", "missed", "added"]


def test_json_holds_the_card_and_the_quotation(made: tuple[Path, Path]) -> None:
    auc, recall = json.loads(made[0].read_text())
    assert [quote["variant"] for quote in recall["validity"]["recovery"]] == ["fine", "blind"]
    assert auc["validity"]["recovery"] == []
    assert auc["ceiled"][0]["above_one"]
    assert auc["ceiling"]["is_low"]


class _Document(HTMLParser):
    """Checks that every element is closed where it should be, and keeps ids, links and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [str(values["id"])] if "id" in values else []
        if tag == "a":
            self.links.append(str(values["href"]))
        elif "href" in values or "src" in values:
            self.fetched.append(str(values.get("href") or values.get("src")))
        if tag not in ("meta", "link", "wbr", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("line", "rect", "circle"), tag

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_is_well_formed_self_contained_and_its_links_lead_somewhere(made: tuple[Path, Path]) -> None:
    page = made[1]
    document = _Document(page.read_text(encoding="utf-8"))
    assert document.open == []
    assert len(set(document.ids)) == len(document.ids)
    assert all(source.startswith("data:") for source in document.fetched)
    for link in document.links:
        if link.startswith("#"):
            assert link[1:] in document.ids
        else:
            # the report's page and the recovery's cards are made by the same run
            assert (page.parent / link).exists() or link in ("../index.html", "truth.html"), link


def test_page_says_what_the_cards_say(made: tuple[Path, Path]) -> None:
    text = re.sub(r"\s+", " ", _Document(made[1].read_text(encoding="utf-8")).text)
    for words in (
        "atlas & co", "a_<b>", "<i>none</i>", "0.620", "1,234", "1 above the ceiling", "low ceiling", "no ceiling",
        "0.550 to 0.580", "2.400 △", "▼ 1 worse", "▼ worse than path length", "−0.080 (−0.110 to −0.050)", "1.5 s", "10.0 MiB", "nor missed from different",
        "This measure is not part of a model recovery of this run",
    ):  # fmt: skip
        assert words in text, words
    assert "0123abcd" not in text


def test_the_same_cards_give_the_same_bytes(made: tuple[Path, Path], tmp_path: Path) -> None:
    before = [path.read_bytes() for path in made]
    report.write_cards(
        [str(tmp_path / "some.cards.json")],
        recovery=[str(tmp_path / "truth.zarr")],
        data=[str(made[0])],
        pages=[str(made[1])],
    )
    assert [path.read_bytes() for path in made] == before


def test_page_has_no_console_message_in_a_browser(made: tuple[Path, Path], tmp_path: Path) -> None:
    assert console(made[1], tmp_path) == []


def test_table_for_the_report_counts_what_deserves_a_look(made: tuple[Path, Path]) -> None:
    (found,) = cards.table([str(made[0])]).to_dict("records")
    assert found["path"] == made[1].as_posix()
    expected = {"cards": 2, "scores": 3, "with a ceiling": 1, "with model recovery": 1}
    assert {name: found[name] for name in expected} == expected
    assert found["flags"] == "1 low ceilings, 1 scores above their ceiling"


def _positions(svg: str, element: str, key: str) -> list[float]:
    return [float(found) for found in re.findall(rf'<{element} [^>]*\b{key}="([\d.]+)"', svg)]


def test_strip_places_score_interval_and_ceiling_on_one_axis() -> None:
    found: dict[str, Any] = {"score": 0.5, "ci_low": 0.4, "ci_high": 0.7, "ceiling_low": 0.8, "ceiling_high": 1.0}
    axis = strips.axis_of([found, {"score": 0.0}], 0.5)
    assert axis is not None
    assert (axis.low, axis.high, axis.chance) == (0, 1, 0.5)
    svg = str(strips.strip(found, axis, "result"))
    width = strips.WIDTH - 2 * strips.MARGIN

    def x(value: float) -> float:
        return pytest.approx(strips.MARGIN + width * value, abs=0.06)

    assert _positions(svg, "circle", "cx") == [x(0.5)]
    assert _positions(svg, 'line class="result"', "x1") == [x(0.4)]
    assert _positions(svg, 'line class="result"', "x2") == [x(0.7)]
    assert _positions(svg, "rect", "x") == [x(0.8)]
    assert _positions(svg, "rect", "width") == [pytest.approx(width * 0.2, abs=0.06)]
    assert _positions(svg, 'line class="chance"', "x1") == [x(0.5)]


def test_axis_leaves_out_a_chance_that_would_squeeze_the_scores() -> None:
    assert strips.axis_of([{"score": 0.9}, {"score": 1.2}], 0.0).chance is None  # type: ignore[union-attr]
    assert strips.axis_of([{"score": 0.2}, {"score": 0.4}], 0.0).chance == 0.0  # type: ignore[union-attr]
    assert strips.axis_of([{"score": None}], 0.5) is None
    constant = strips.axis_of([{"score": 3.0}], None)
    assert constant is not None
    assert constant.low < 3 < constant.high


@pytest.mark.parametrize(
    ("value", "score", "p"),
    [
        (None, "", ""),
        (0.0, "0.000", "0.000"),
        (0.6214, "0.621", "0.621"),
        (2e-4, "0.000", "2e-4"),
        (1e-19, "0.000", "1e-19"),
    ],
)
def test_numbers(value: float | None, score: str, p: str) -> None:
    assert (cards.number(value), cards.probability(value)) == (score, p)
    assert (cards.number(1234.5), cards.number(-0.05)) == ("1,234", "-0.050")
