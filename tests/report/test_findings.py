"""Findings: the verdicts of the stores, the one that stands out most first."""

import json
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from allometry import stores
from allometry.compare import kinds
from allometry.compare.registry import find
from allometry.report.findings import findings
from allometry.report.headlines import HEADLINES
from tests.stores import samples


def row(difference: float, half_width: float, **more: Any) -> dict[str, Any]:
    low, high = difference - half_width, difference + half_width
    verdict = "better" if low > 0 else "worse" if high < 0 else "undecided"
    score = {"score": 0.5 + difference, "ci_low": 0.5, "ci_high": 0.9, "verdict": verdict, "baseline": "path_length"}
    bounds = {"difference": difference, "difference_low": low, "difference_high": high}
    return {"measure": "auc", "candidate": "cook", "role": "result", **score, **bounds, **more}


def scores(difference: float, half_width: float) -> xr.DataTree:
    judged = row(difference, half_width)
    baseline = row(9.0, 0.1, candidate="path_length", role="baseline", verdict="", baseline="")
    return stores.scores([baseline, judged], attrs=samples.ATTRS)


def test_one_line_with_number_interval_baseline_and_verdict(tmp_path: Path) -> None:
    stores.write(scores(0.2, 0.1), tmp_path / "worm.zarr")
    (found,) = findings([tmp_path / "worm.zarr"])
    assert found.text == "worm: auc of cook is 0.7 (0.5 to 0.9): better than path length, +0.200 (+0.100 to +0.300)"
    assert found.verdict == "better"


def test_those_that_stand_out_come_first_and_one_of_each_store(tmp_path: Path) -> None:
    for name, difference in (("a", 0.12), ("b", -0.5), ("c", 0.01), ("d", 0.3)):
        rows = [row(difference, 0.1), row(difference / 2, 0.1, candidate="white")]
        stores.write(stores.scores(rows, attrs=samples.ATTRS), tmp_path / f"{name}.zarr")
    stores.write(samples.connectome(), tmp_path / "e.zarr")
    stores.write(samples.scores(), tmp_path / "f.zarr")
    found = findings(sorted(tmp_path.glob("*.zarr")))
    assert [Path(one.store).name for one in found] == ["b.zarr", "d.zarr", "a.zarr"]
    assert [one.verdict for one in found] == ["worse", "better", "better"]
    assert all("cook" in one.text for one in found)


def test_results_without_an_interval_come_last(tmp_path: Path) -> None:
    nan = float("nan")
    rows = [row(5.0, 0.1, difference_low=nan, difference_high=nan, verdict="undecided")]
    stores.write(stores.scores(rows, attrs=samples.ATTRS), tmp_path / "a.zarr")
    stores.write(scores(0.01, 0.1), tmp_path / "b.zarr")
    assert [Path(one.store).stem for one in findings([tmp_path / "a.zarr", tmp_path / "b.zarr"])] == ["b", "a"]


def test_results_whose_resamples_are_all_alike_come_last(tmp_path: Path) -> None:
    """All trials right in every resample was the first finding of a run, as infinitely sure."""
    stores.write(stores.scores([row(0.5, 0.0)], attrs=samples.ATTRS), tmp_path / "a.zarr")
    stores.write(scores(0.12, 0.1), tmp_path / "b.zarr")
    assert [Path(one.store).stem for one in findings([tmp_path / "a.zarr", tmp_path / "b.zarr"])] == ["b", "a"]


def test_a_study_says_what_the_smallest_size_keeps(tmp_path: Path) -> None:
    tree = samples.scaling()
    root = tree.to_dataset(inherit=False).copy(deep=True)
    verdict = root["verdict"].values
    verdict[0] = "preserved"
    verdict[0, 0, 0, 1, 0] = "changed"
    root["deviation"].values[0, 0, 0, 1, 0] = -0.5
    root["deviation_low"].values[0, 0, 0, 1, 0] = -0.6
    root["deviation_high"].values[0, 0, 0, 1, 0] = -0.4
    tree.dataset = root
    stores.write(tree, tmp_path / "sizes.zarr")
    (found,) = findings([tmp_path / "sizes.zarr"])
    assert found.text == (
        "Brunel at size 0.5 keeps 3 of 4 statistics within 10 % of size 1; cv changes most surely, by −50 % (−60 to −40) (halved, E)"
    )
    assert found.weight == pytest.approx(5.0)


def test_the_main_result_of_a_kind_is_said_in_its_own_words(tmp_path: Path) -> None:
    common = {"measure": "influence_auc", "reference": "randi2023_wt", "group": "weight"}
    rows = [
        {**row(-0.1, 0.02), **common, "candidate": "cook2019_hermaphrodite", "score": 0.56},
        {**row(-0.05, 0.02), **common, "candidate": "white1986_whole", "score": 0.61},
        # stands out more, and is not what the comparison is about
        {
            **row(0.9, 0.001),
            "measure": "influence_given_edge",
            "candidate": "white1986_whole",
            "reference": "randi2023_wt",
        },
    ]
    attrs = {**samples.ATTRS, "parameters": {"kind": "structure_function"}}
    stores.write(stores.scores(rows, attrs=attrs), tmp_path / "worm.zarr")
    (found,) = findings([tmp_path / "worm.zarr"])
    assert found.text == (
        "Which worm neuron influences which (randi2023 wt) is told by the connections of white1986 whole with AUC 0.61 (0.5 to 0.9): "
        "worse than path length, −0.050 (−0.070 to −0.030)"
    )
    assert found.verdict == "worse"
    # a card says more and less where a measure describes
    card = {
        "identity": {"measure": "influence_auc"},
        "raw": [{"candidate": "white1986_whole", "group": "weight", "worth": "less than path length"}],
    }
    (tmp_path / "worm.cards.json").write_text(json.dumps([card]))
    assert "(0.5 to 0.9): less than path length, −0.050" in findings([tmp_path / "worm.zarr"])[0].text


def test_headlines_are_of_kinds_and_measures_that_there_are() -> None:
    assert set(HEADLINES) == set(kinds.KINDS) - {"spike_statistics"}
    for name, headlines in HEADLINES.items():
        for headline in headlines:
            assert find(headline.measure).name == headline.measure, name
            text = headline.text({"candidate": "a", "reference": "b", "group": "c", "n": 3.0}, "0.5")
            assert "0.5" in text
            assert text[0] != " "


def test_spike_statistics_are_held_against_another_seed(tmp_path: Path) -> None:
    common = {
        "measure": "rate_ks",
        "candidate": "scale0.05",
        "reference": "scale0.1",
        "role": "result",
        "ci_low": 0.1,
        "ci_high": 0.3,
    }
    rows = [
        {**common, "group": "L4E", "score": 0.2, "beside_seeds": "beyond seed-to-seed", "relative": 3.9},
        {**common, "group": "L4I", "score": 0.25, "beside_seeds": "beyond seed-to-seed", "relative": 2.0},
        {**common, "group": "L5E", "score": 0.1, "beside_seeds": "within seed-to-seed", "relative": 9.0},
    ]
    stores.write(stores.scores(rows, attrs=samples.ATTRS), tmp_path / "a.zarr")
    (found,) = findings([tmp_path / "a.zarr"])
    assert found.text == (
        "2 of 3 distances between spike statistics are larger than another seed makes them; most the rate ks of L4E at scale0.05 from "
        "scale0.1, 0.2 (0.1 to 0.3), 3.9 times as large"
    )
    assert found.verdict == "changed"
    stores.write(stores.scores(rows[2:], attrs=samples.ATTRS), tmp_path / "b.zarr")
    assert findings([tmp_path / "b.zarr"])[0].verdict == "preserved"


def test_two_editions_of_one_connectome_are_not_the_finding(tmp_path: Path) -> None:
    """White 1986 and Varshney 2011 list the same connections: a share of 1 in every resample was the first line of the report."""
    common = {"measure": "edge_jaccard", "group": "chemical", "reference": "varshney2011"}
    rows = [
        {**row(0.9, 0.01), **common, "candidate": "white1986_whole", "score": 1.0, "ci_low": 1.0, "ci_high": 1.0},
        {**row(0.3, 0.05), **common, "candidate": "cook2019", "score": 0.62, "ci_low": 0.6, "ci_high": 0.64},
    ]
    tree = stores.scores(rows, attrs={**samples.ATTRS, "parameters": json.dumps({"kind": "connectome_agreement"})})
    stores.write(tree, tmp_path / "agreement.zarr")
    (found,) = findings([tmp_path / "agreement.zarr"])
    assert found.text.startswith("Of the connections of cook2019 and varshney2011")
    assert "0.62 (0.6 to 0.64)" in found.text
