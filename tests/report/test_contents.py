"""Tables and notes of the page: results and baselines are told apart, and packages from downloads."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from allometry import config as configuration
from allometry import stores
from allometry.report.page import contents, tables
from allometry.stores import KINDS
from allometry.workflow import reach
from tests.report.samples import ATTRS


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Scores with every column, and Scores with no more than a score."""
    common = {"measure": "m", "reference": "r", "score": 0.5, "ceiled": 0.9, "p": 0.01, "p_fdr": 0.02}
    full = [
        {
            **common,
            "candidate": "own",
            "role": "result",
            "n": 1200,
            "verdict": "no better",
            "baseline": "weight",
            "difference": -0.1,
            "difference_low": -0.2,
            "difference_high": 0.01,
            "null": "rewired",
        },
        {**common, "candidate": "weight", "role": "baseline", "n": 1200, "verdict": "", "null": ""},
    ]
    plain = [{"measure": "m", "candidate": "x", "score": 0.25}]
    for name, rows in (("full", full), ("plain", plain)):
        stores.write(stores.scores(rows, attrs=ATTRS), tmp_path / f"{name}.zarr")
    return [str(tmp_path / "full.zarr"), str(tmp_path / "plain.zarr")]


def test_table_of_scores_has_verdicts_roles_and_numbers_of_items(paths: list[str]) -> None:
    table = contents.Made(paths).scores.set_index("candidate")
    own = table.loc["own"]
    assert own[["role", "verdict", "baseline", "null"]].tolist() == ["result", "no better", "weight", "rewired"]
    assert own["difference (95 % interval)"] == "−0.100 (−0.200 to +0.010)"
    assert own[["n", "p_fdr", "ceiled"]].tolist() == [1200, 0.02, 0.9]
    assert table["comparison"].tolist() == ["full", "full", "plain"]
    plain = table.loc["x"]
    assert plain[["role", "verdict", "null"]].tolist() == ["", "", ""]
    assert plain[["n", "p_fdr", "ceiled"]].isna().all()


def test_baselines_are_marked_and_missing_values_are_empty(paths: list[str], tmp_path: Path) -> None:
    shown = tables.shown("Scores", contents.Made(paths).scores, tmp_path)
    lines = shown.body.split("<tr")
    marked = [line for line in lines if 'class="baseline"' in line]
    assert len(marked) == 1
    assert ">weight<" in marked[0]
    assert ">1,200<" in marked[0]
    assert '<span class="verdict no-better">= no better</span>' in str(lines)
    assert "nan" not in str(lines).lower()
    assert "<NA>" not in str(lines)


def test_table_without_scores_is_empty() -> None:
    assert contents.Made([]).scores.equals(pd.DataFrame())


def test_note_tells_packages_from_downloads() -> None:
    note = contents.data_note({"used": {}}, {"packages": ["mouse"], "elsewhere": ["fly"]})
    packaged, needed = note.split("packages: ")[1].split(".", 1)
    assert packaged == "mouse"
    assert "download" in needed
    assert "fly" in needed
    assert "mouse" not in needed
    assert "Not used" not in contents.data_note({"used": {}}, {"packages": [], "elsewhere": []})


def test_unused_sources_are_sorted_by_where_their_files_are(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = configuration.validate({}, "test")
    registry = configuration.load_registry(cfg, str(root))
    monkeypatch.delenv("ALLOMETRY_MIRROR", raising=False)
    unused = reach.unused_sources(cfg, registry)
    assert "mouse_dti" in unused["packages"]
    assert "kato2015" in unused["elsewhere"]
    assert sorted(unused["packages"] + unused["elsewhere"]) == sorted(
        set(registry) - set(reach.used_sources(cfg, registry))
    )
    # what this machine has at hand changes nothing, or the report would be redone
    for name in unused["elsewhere"]:
        for file in registry[name]["files"]:
            (tmp_path / "results/raw" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "results/raw" / name / file["name"]).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "results/raw" / name / file["name"]).touch()
    monkeypatch.chdir(tmp_path)
    assert reach.unused_sources(cfg, registry) == unused


def test_stores_are_counted_in_words() -> None:
    made: Any = SimpleNamespace(kinds={"a": "Connectome", "b": "Connectome", "c": "Scores"})
    said = contents.summary(made, {"cook2019": {}})
    assert said == "3 stores from 1 data set and from simulations: 2 connectomes, 1 table of scores."
    for kind in KINDS.values():
        contents.summary(SimpleNamespace(kinds={"a": kind.name}), {})  # type: ignore[arg-type]
