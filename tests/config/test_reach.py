"""A configuration finishes what can be made here: what no download can give is left out, and said."""

from pathlib import Path
from typing import Any

import pytest

from allometry import config as configuration
from allometry.reach import network_note, reachable
from allometry.workflow import content_of, targets

PRIVATE: dict[str, Any] = {
    "reader": "generic_edges",
    "files": [{"name": "e.csv", "places": ["mirror:e.csv"]}],
    "stores": {"hidden": {"kind": "connectome"}},
}
PUBLIC: dict[str, Any] = {
    **PRIVATE,
    "files": [{"name": "e.csv", "places": ["mirror:e.csv", "https://example.org/e.csv"]}],
    "stores": {"shown": {"kind": "connectome"}},
}
VALUES: dict[str, Any] = {
    "datasets": {"private": PRIVATE, "public": PUBLIC},
    "homogenize": {"connectome": ["hidden", "shown"], "worm_stack": ["hidden"]},
    "simulate": {
        "runs": {
            "lost": {"kind": "propagation", "connectome": ["shown", "hidden"]},
            "kept": {"kind": "propagation", "connectome": ["shown"]},
        }
    },
    "compare": {
        "comparisons": {
            "direct": {"kind": "connectome_agreement", "structure": ["hidden", "shown"]},
            "by_run": {"kind": "propagation", "run": "lost", "function": "shown", "structure": ["shown"]},
            "possible": {"kind": "propagation", "run": "kept", "function": "shown", "structure": ["shown"]},
        }
    },
}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder without a mirror."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALLOMETRY_MIRROR", raising=False)
    return tmp_path


def test_what_needs_a_mirror_is_left_out_with_all_that_needs_it(root: Path, elsewhere: Path) -> None:
    cfg = configuration.validate(VALUES)
    registry = configuration.load_registry(cfg, root)
    made, left_out = reachable(cfg, registry)
    assert set(left_out) == {
        "hidden",
        "homogenize.worm_stack",
        "simulate.runs.lost",
        "compare.comparisons.direct",
        "compare.comparisons.by_run",
    }
    assert "hidden" not in " ".join(targets(made)["all"])
    assert set(made.compare.comparisons) == {"possible"}
    assert set(made.simulate.runs) == {"kept"}
    note = network_note(made, registry, left_out)
    assert "Left out of this run: hidden: its files are in no public place" in note
    assert "compare.comparisons.by_run: needs simulate.runs.lost" in note


def test_with_the_mirror_nothing_is_left_out(root: Path, elsewhere: Path) -> None:
    (elsewhere / "e.csv").touch()
    cfg = configuration.validate({**VALUES, "mirror": str(elsewhere)})
    assert reachable(cfg, configuration.load_registry(cfg, root)) == (cfg, {})


def test_places_and_other_stores_do_not_determine_a_store(root: Path) -> None:
    cfg = configuration.validate(VALUES)
    registry = configuration.load_registry(cfg, root)
    before = content_of(registry, "connectome", "shown")
    registry["public"]["files"][0]["places"] = ["https://example.org/moved.csv"]
    registry["public"]["stores"]["more"] = {"kind": "connectome", "options": {}}
    assert content_of(registry, "connectome", "shown") == before
    registry["public"]["files"][0]["sha256"] = "0" * 64
    assert content_of(registry, "connectome", "shown") != before
