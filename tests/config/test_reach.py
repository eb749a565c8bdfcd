"""A configuration finishes what can be made here: what no download can give is left out, and said."""

from pathlib import Path
from typing import Any

import pytest

from allometry import config as configuration
from allometry.workflow.reach import network_note, reachable, without_optional
from allometry.workflow.snakefile import configure, content_of, targets

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
    assert "hidden" not in " ".join(targets(made, registry)["all"])
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


def test_a_registered_set_whose_files_were_not_put_in_place_is_left_out(root: Path, elsewhere: Path) -> None:
    """A configuration that asks for a whole collection makes of it what is here."""
    cfg = configuration.validate({"homogenize": {"activity": ["lin2023", "nichols2017", "skora2018"]}})
    registry = configuration.load_registry(cfg, root)
    archive = Path("recordings/opensource_neural_data")
    (archive / "Lin2023").mkdir(parents=True)
    (archive / "Nichols2017").mkdir()
    for group in ("n2_let", "n2_prelet", "npr1_let"):
        (archive / "Nichols2017" / f"{group}.mat").touch()
    made, left_out = reachable(cfg, registry)
    assert made.homogenize.activity == ["lin2023"]
    assert set(left_out) == {"nichols2017", "skora2018"}
    assert left_out["nichols2017"].startswith(f"{archive}/Nichols2017/npr1_prelet.mat does not exist")
    assert left_out["skora2018"].startswith(f"{archive}/Skora2018/WT_fasted.mat does not exist")
    configure({"homogenize": {"activity": ["lin2023", "nichols2017"]}}, str(root), [])


def _own(*files: object) -> dict[str, Any]:
    entry = {**PRIVATE, "files": list(files), "stores": {"mine": {"kind": "connectome"}}}
    return {"datasets": {"mine": entry}, "homogenize": {"connectome": ["mine"]}}


def _refused(values: dict[str, Any], root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        configure(values, str(root), [])
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_files_of_the_users_own_that_are_not_there_are_found_in_the_dry_run(
    root: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were found in the job, which a day of other jobs may come before."""
    (elsewhere / "edges.csv").touch()
    (elsewhere / "tables").mkdir()
    configure(_own("edges.csv"), str(root), [])
    said = _refused(_own("edges.csv", "data/edgs.csv"), root, capsys)
    assert "the file data/edgs.csv does not exist" in said
    assert "where:    datasets.mine.files" in said
    assert f"perhaps {elsewhere}/edges.csv is meant" in _refused(_own(f"{elsewhere}/edgs.csv"), root, capsys)
    assert "tables is a folder" in _refused(_own("tables"), root, capsys)
    taken = _own("tables") | {"homogenize": {"spikes": ["mine"]}}
    taken["datasets"]["mine"] = {"reader": "phy", "files": ["tables"]}
    configure(taken, str(root), [])
    # a kind that the reader does not make
    taken["homogenize"] = {"responses": ["mine"]}
    said = _refused(taken, root, capsys)
    assert "the reader 'phy' makes no store of kind responses" in said
    assert "expected: 'mine' under homogenize.spikes" in said
    # the home folder, another place, what was retrieved before, and what nobody asks for
    monkeypatch.setenv("HOME", str(elsewhere))
    configure(_own("~/edges.csv"), str(root), [])
    configure(_own({"name": "e.csv", "places": ["file:no.csv", "https://example.org/e.csv"]}), str(root), [])
    configure(_own("no.csv") | {"homogenize": {"connectome": ["openworm"]}}, str(root), [])
    (elsewhere / "results/raw/mine").mkdir(parents=True)
    (elsewhere / "results/raw/mine/no.csv").touch()
    configure(_own("no.csv"), str(root), [])


def test_an_optional_file_of_the_users_own_is_left_out(root: Path, elsewhere: Path) -> None:
    (elsewhere / "edges.csv").touch()
    optional = {"name": "cells.csv", "places": ["file:cells.csv"], "optional": True}
    _, registry, left_out = configure(_own("edges.csv", optional), str(root), [])
    assert [file["name"] for file in registry["mine"]["files"]] == ["edges.csv"]
    assert set(left_out) == {"mine/cells.csv"}


@pytest.mark.parametrize("name", ["c.json", "c.yaml"])
def test_a_configuration_in_json_is_checked_for_keys_that_stand_twice(
    root: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (elsewhere / name).write_text('{"report": {"title": "a",\t"title": "b"}}')
    with pytest.raises(SystemExit):
        configure({"report": {"title": "b"}}, str(root), [name])
    said = capsys.readouterr().err
    assert "a key stands twice" in said
    assert "title" in said
    (elsewhere / name).write_text('{"report": {"title":\t"a"}, "retrieve": {}}')
    configure({"report": {"title": "a"}}, str(root), [name])


def test_who_brings_data_is_not_told_of_data_sets_that_are_not_asked_for(root: Path, tmp_path: Path) -> None:
    (tmp_path / "e.csv").touch()
    own = {"reader": "generic_edges", "files": [str(tmp_path / "e.csv")], "stores": {"mine": {"kind": "connectome"}}}
    cfg = configuration.validate({"datasets": {"mine": own}, "homogenize": {"connectome": ["mine"]}})
    registry = configuration.load_registry(cfg, root)
    assert network_note(cfg, registry, {}) == "All data sets of this run are at hand."
