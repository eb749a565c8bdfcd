"""What is planned of the sessions of a collection: stores, disk and memory; what does not fit is refused."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from allometry import cli
from allometry import config as configuration
from allometry.errors import ConfigError
from allometry.workflow import recording_sessions, snakefile
from allometry.workflow.checks.names import check_collections
from tests.retrieve.sessions.archives import Archives
from tests.workflow.conftest import Run
from tests.workflow.recording_sessions import asking


def test_a_name_stands_for_the_stores_of_all_sessions(folder: Path, archives: Archives, root: Path) -> None:
    asking.resolve()
    values = asking.write(
        folder,
        archives,
        compare={"comparisons": {"code": {"kind": "population_code", "responses": ["gratings_responses"]}}},
    )
    cfg, registry = asking.configure(values, root)
    three = [f"gratings_{number}_responses" for number in (501, 503, 505)]
    assert cfg.homogenize.responses == [*three, "probes_715093703_gratings"]
    assert cfg.compare.comparisons["code"].responses == three
    entry = registry["gratings_501"]
    assert entry["files"][0]["size"] > 0
    assert entry["files"][0]["sha256"] == "learn"
    assert entry["stores"]["gratings_501_responses"]["options"] == {"stimuli": ["drifting_gratings"]}
    assert entry["verified"] == "layout-only"
    dandi = registry["probes_715093703"]
    assert len(dandi["files"][0]["sha256"]) == 64
    assert dandi["licence"] == "CC-BY-4.0"
    assert snakefile.targets(cfg, registry)["retrieve"][0] == "results/raw/gratings_501/501.nwb"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reader": "allen_probes"}, ["unknown reader 'allen_probes'", "collections.probes.reader"]),
        ({"options": {"areaz": ["VISp"]}}, ["areaz", "collections.probes.options"]),
        ({"stores": {"x": {"kind": "connectome"}}}, ["collections.probes.stores.x.kind", "one of responses, spikes"]),
        ({"stores": {"x": {"kind": "spikes", "options": {"lag": 3}}}}, ["collections.probes.stores.x.options"]),
    ],
)
def test_what_does_not_fit_is_refused_before_an_archive_is_asked(change: dict[str, Any], words: list[str]) -> None:
    cfg = configuration.validate({"collections": {"probes": {**asking.ASKED["probes"], **change}}})
    with pytest.raises(ConfigError) as error:
        check_collections(cfg)
    for word in words:
        assert word in str(error.value)


def test_sessions_that_do_not_fit_on_the_disk_are_refused(
    folder: Path, archives: Archives, root: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.resolve()
    cfg, registry = asking.configure(asking.write(folder, archives), root)
    total = sum(map(len, files.values()))
    said = recording_sessions.announcement(cfg, registry)
    assert "Collection gratings: 3 sessions, 0 here, " in said
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(total, 1, total - 1))
    with pytest.raises(ConfigError) as error:
        recording_sessions.announcement(cfg, registry)
    assert "the files of the sessions still to fetch have" in str(error.value)
    # what is here already, or in part, needs no room
    part = Path("results/raw/.cache/downloads/a.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"xx")
    recording_sessions.announcement(cfg, registry)
    part.unlink()
    here = Path("results/raw/gratings_501/501.nwb")
    here.parent.mkdir(parents=True)
    here.write_bytes(files["501"])
    assert "3 sessions, 1 here" in recording_sessions.announcement(cfg, registry)


def test_large_sessions_ask_for_more_memory() -> None:
    def registry(size: int | None) -> dict[str, Any]:
        return {"s": {"reader": "allen_two_photon", "files": [{"name": "s.nwb", "size": size}]}}

    assert recording_sessions.memory_mb(registry(10**9), "s", "responses") == 4000
    assert recording_sessions.memory_mb(registry(None), "s", "activity") == 4000
    assert recording_sessions.memory_mb(registry(10**10), "s", "activity") == round(1.25 * (930 + 15000))


def test_stated_needs_hold_what_was_measured(root: Path) -> None:
    measured = json.loads((root / "benchmarks/results/homogenize_sessions.json").read_text())
    assert len(measured) == 4
    for case in measured.values():
        for kind in {key for reader, key in recording_sessions.NEEDS if reader == case["reader"]}:
            stated = recording_sessions.need(case["reader"], [kind], case["file_bytes"])
            assert 1.02 < stated.memory / case[kind]["peak_bytes"] < 1.35
            assert 1 < stated.stores / case[kind]["store_bytes"] < 1.9
    page = (root / "docs/allen.md").read_text(encoding="utf-8")
    for (reader, kind), (least, by_byte, written) in recording_sessions.NEEDS.items():
        line = (
            f"| `{reader}`, {kind} | {least / 1e9:.2f} GB + {by_byte:g} times the file | {written:g} times the file |"
        )
        assert line in page


def test_dry_run_of_the_shipped_configuration(
    archives: Archives, tmp_path: Path, root: Path, snakemake: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sessions that config/allen.yaml asks for, answered by the server of the tests."""
    monkeypatch.chdir(tmp_path)
    archives.asset("sub-2/sub-2_ses-719161530.nwb")
    for number, area in {601: "VISl", 602: "VISl"}.items():
        archives.two_photon(number, area=area, animal=str(number), container=number)
    for number, kind in {611: "A", 612: "B", 613: "C2"}.items():
        archives.two_photon(number, container=511510736, stimulus=f"three_session_{kind}", area="VISam", animal="z")
    services = tmp_path / "services.yaml"
    services.write_text(yaml.safe_dump({"services": archives.services()}))
    shipped = root / "config/allen.yaml"
    assert cli.main(["resolve", "--configfile", str(shipped), "--configfile", str(services)]) == 0
    done = snakemake(
        "--cores", "1", "--configfile", str(shipped), str(services), "-n", directory=tmp_path, ALLOMETRY_MIRROR=""
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    # gratings of three animals in V1 and two in LM, scenes of one, one container of three sessions, two sessions of probes
    assert len(set(re.findall(r"^retrieve_\w+", said, re.MULTILINE))) == 3 + 2 + 1 + 3 + 2
    assert re.search(r"^homogenize_store +13$", said, re.MULTILINE)
    assert re.search(r"^compare_run +5$", said, re.MULTILINE)
