"""A configuration finishes what can be made here: what no download can give is left out, and said."""

from pathlib import Path
from typing import Any

import pytest

from allometry import config as configuration
from allometry.reach import network_note, reachable, without_optional
from allometry.workflow import configure, content_of, targets

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


def test_one_optional_file_without_an_address_does_not_cost_the_recordings(root: Path, elsewhere: Path) -> None:
    """`config/full.yaml` without a mirror dropped kato2015, whose states alone have no address."""
    cfg = configuration.validate({"homogenize": {"activity": ["kato2015"]}})
    _, registry, left_out = configure({"homogenize": {"activity": ["kato2015"]}}, str(root), [])
    names = [file["name"] for file in registry["kato2015"]["files"]]
    assert names == [f"raw_full_data_worm_{n}.npz" for n in (1, 2, 3, 4)] + ["known_neurons.npz"]
    assert set(left_out) == {f"kato2015/bundle_mcm_{n}.npz" for n in range(4)}
    assert "Left out of this run: kato2015/bundle_mcm_0.npz: an optional file" in network_note(cfg, registry, left_out)
    (elsewhere / "celegans_activity/kato2015").mkdir(parents=True)
    (elsewhere / "celegans_activity/kato2015/bundle_mcm_2.npz").touch()
    mirrored = configuration.validate({"mirror": str(elsewhere), "homogenize": {"activity": ["kato2015"]}})
    kept, absent = without_optional(mirrored, configuration.load_registry(mirrored, root))
    assert "bundle_mcm_2.npz" in [file["name"] for file in kept["kato2015"]["files"]]
    assert len(absent) == 3


def test_a_data_set_of_optional_files_alone_needs_its_mirror(root: Path, elsewhere: Path) -> None:
    entry = {**PRIVATE, "files": [{**PRIVATE["files"][0], "optional": True}]}
    cfg = configuration.validate({"datasets": {"private": entry}, "homogenize": {"connectome": ["hidden"]}})
    kept, _ = without_optional(cfg, configuration.load_registry(cfg, root))
    assert set(reachable(cfg, kept)[1]) == {"hidden"}


def test_places_and_other_stores_do_not_determine_a_store(root: Path) -> None:
    cfg = configuration.validate(VALUES)
    registry = configuration.load_registry(cfg, root)
    before = content_of(registry, "connectome", "shown")
    registry["public"]["files"][0]["places"] = ["https://example.org/moved.csv"]
    registry["public"]["stores"]["more"] = {"kind": "connectome", "options": {}}
    assert content_of(registry, "connectome", "shown") == before
    registry["public"]["files"][0]["sha256"] = "0" * 64
    assert content_of(registry, "connectome", "shown") != before
