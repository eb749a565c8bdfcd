"""A card says what its rows say: roles, low ceilings, scores above the ceiling, and no NaN in the JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from allometry import stores
from allometry.compare import card
from allometry.compare.inference.statistics import Interval
from allometry.compare.result import row, with_fdr
from allometry.errors import ComparisonError
from tests.compare.conftest import ATTRS


@pytest.fixture
def scores() -> object:
    rows = [
        row("influence_auc", "a", "atlas", Interval(0.8, 0.7, 0.9), p=0.01, ceiling=(0.7, np.nan), rule="auc", n=9),
        row("influence_auc", "b", "atlas", 0.55, ceiling=(0.58, np.nan), rule="auc", p=0.04, n=9),
        row("influence_auc", "a", "atlas", 0.52, group="degree", role="baseline", n=9),
        row("influence_auc", "a", "other", 0.6),
        row("edge_recall", "a", "atlas", 0.4),
    ]
    attrs = {**ATTRS, "derived": {"ci": "percentiles", "ceiling_low": "mirrored"}, "seed": 3}
    return stores.scores(with_fdr(rows), attrs=attrs)


def test_one_card_per_data_set_and_measure(scores: object) -> None:
    made = {(c["identity"]["data_set"], c["identity"]["measure"]): c for c in card.cards(scores, {"seconds": 1.5})}
    assert set(made) == {("atlas", "influence_auc"), ("other", "influence_auc"), ("atlas", "edge_recall")}
    first = made["atlas", "influence_auc"]
    assert [(r["candidate"], r["score"]) for r in first["raw"]] == [("a", 0.8), ("b", 0.55)]
    assert [(r["role"], r["group"], r["score"]) for r in first["baselines"]] == [("baseline", "degree", 0.52)]
    assert first["ceiling"]["low"] == [0.58, 0.7]
    assert first["ceiling"]["is_low"]  # .58 is below .6
    assert [(c["above_one"], round(c["value"], 3)) for c in first["ceiled"]] == [(True, 1.5), (False, 0.625)]
    assert first["raw"][0]["p_fdr"] == pytest.approx(0.02)
    assert first["cost"] == {"seconds": 1.5}
    assert not made["atlas", "edge_recall"]["ceiling"]["is_low"]
    assert first["statistics"]["ci"] == "percentiles"


def test_written_json_has_no_nan(scores: object, tmp_path: Path) -> None:
    (tmp_path / "x.cards.json").write_bytes(card.as_json(scores))
    text = (tmp_path / "x.cards.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)[0]["raw"][0]["p"] is None
    assert [path.name for path in tmp_path.iterdir()] == ["x.cards.json"]


def test_without_a_reference_the_candidate_is_the_data_set() -> None:
    rows = with_fdr([row("memory_capacity", "larva", "", 9.0), row("memory_capacity", "worm", "", 7.0)])
    made = card.cards(stores.scores(rows, attrs={**ATTRS, "derived": {}, "seed": 3}))
    assert [(c["identity"]["data_set"], c["raw"][0]["score"]) for c in made] == [("larva", 9.0), ("worm", 7.0)]


def test_an_unregistered_measure_is_named() -> None:
    tree = stores.scores([{"measure": "magic", "candidate": "a", "score": 1.0}], attrs=ATTRS)
    with pytest.raises(ComparisonError, match="no measure called 'magic'"):
        card.cards(tree)
