"""Collections: resolved once against a server, then planned, fetched through broken connections, and homogenized."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from allometry import cli, homogenize, retrieve, stores
from allometry import config as configuration
from allometry.errors import ConfigError, RetrieveError
from allometry.retrieve.sessions import lock
from allometry.workflow import recording_sessions, snakefile
from allometry.workflow.checks import check_collections
from tests.homogenize.fixtures import allen_neuropixels, allen_two_photon
from tests.retrieve.sessions.archives import Archives, serving
from tests.workflow.conftest import Run

ASKED: dict[str, Any] = {
    "gratings": {
        "kind": "allen_two_photon",
        "area": ["VISp"],
        "stimulus": ["drifting_gratings"],
        "one_per_animal": True,
        "stores": {
            "responses": {"kind": "responses", "options": {"stimuli": ["drifting_gratings"]}},
            "traces": {"kind": "activity"},
        },
    },
    "probes": {
        "kind": "dandi",
        "dandiset": "000021",
        "session": ["715093703"],
        "reader": "allen_neuropixels",
        "stores": {"spikes": {"kind": "spikes"}, "gratings": {"kind": "responses"}},
    },
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Sessions of the genuine layout, small."""
    folder = tmp_path_factory.mktemp("sessions")
    for number in (501, 503, 505):
        allen_two_photon.write(folder / f"{number}.nwb", "A", cells=12, repeats=3, seed=number)
    allen_neuropixels.write(folder / "probes.nwb", units=150, good=110, spikes=60)
    return {path.stem: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def archives(files: dict[str, bytes]) -> Iterator[Archives]:
    with serving() as state:
        for number, animal in {501: "a", 503: "b", 505: "c"}.items():
            state.two_photon(number, files[str(number)], animal=animal, container=number)
        state.two_photon(504, b"of the same animal as 503", animal="b", container=504)
        state.two_photon(502, b"another session", animal="a", container=501, stimulus="three_session_B")
        state.asset("sub-1/sub-1_ses-715093703.nwb", files["probes"])
        yield state


@pytest.fixture
def folder(archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, with a configuration that asks the server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALLOMETRY_MIRROR", raising=False)
    _write(tmp_path, archives)
    return tmp_path


def _write(folder: Path, archives: Archives, **changed: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "collections": ASKED,
        "services": archives.services(),
        "retrieve": {"timeout_s": 10.0, "attempts": 2},
        "homogenize": {
            "responses": ["gratings_responses", "probes_gratings"],
            "activity": ["gratings_traces"],
            "spikes": ["probes_spikes"],
        },
        **changed,
    }
    (folder / "allen.yaml").write_text(yaml.safe_dump(values))
    return values


def _resolve(*options: str) -> int:
    return cli.main(["resolve", "--configfile", "allen.yaml", *options])


def test_sessions_are_listed_with_memory_and_disk(
    folder: Path, files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _resolve() == 0
    said = capsys.readouterr().out
    known = lock.read()
    assert [session.name for session in known["gratings"].answer.sessions] == ["501", "503", "505"]
    assert f"{len(files['501']) / 1e6:.1f} MB" in said
    assert "a       VISp  Cux2-CreERT2  three_session_A  175 um" in said
    total = sum(len(files[name]) for name in ("501", "503", "505"))
    assert f"together: {total / 1e6:.1f} MB of files" in said
    assert f"the largest job takes about {(930e6 + 1.5 * len(files['501'])) / 1e9:.2f} GB of memory" in said
    assert "probes: 1 session from 127.0.0.1:" in said


def test_a_second_answer_does_not_change_the_sessions_unless_it_is_asked_for(
    folder: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    _resolve()
    archives.two_photon(507, b"new", animal="e")
    before, questions = Path(lock.PATH).read_bytes(), len(archives.questions)
    assert _resolve() == 0
    assert Path(lock.PATH).read_bytes() == before
    assert len(archives.questions) == questions
    assert _resolve("--again", "--collection", "gratings") == 0
    assert "  new: 507" in capsys.readouterr().out
    assert len(lock.read()["gratings"].answer.sessions) == 4


def _configure(values: dict[str, Any], root: Path) -> tuple[Any, Any]:
    cfg = snakefile.configured(values, ["allen.yaml"], [Path()])
    return cfg, configuration.load_registry(cfg, root)


def test_what_is_not_resolved_names_the_command(folder: Path, archives: Archives, root: Path) -> None:
    values = _write(folder, archives)
    with pytest.raises(ConfigError) as error:
        _configure(values, root)
    assert "the sessions of the collection gratings, probes are not known yet" in str(error.value)
    assert "run `allometry resolve --configfile allen.yaml`" in str(error.value)
    _resolve()
    _configure(values, root)
    changed = {**ASKED, "gratings": {**ASKED["gratings"], "most": 2}}
    with pytest.raises(ConfigError, match="the query of the collection gratings is another than"):
        _configure(_write(folder, archives, collections=changed), root)
    # what is made of the sessions is no part of the question
    less = {**ASKED, "gratings": {**ASKED["gratings"], "stores": {"responses": {"kind": "responses"}}}}
    _configure(_write(folder, archives, collections=less, homogenize={}), root)


def test_a_name_stands_for_the_stores_of_all_sessions(folder: Path, archives: Archives, root: Path) -> None:
    _resolve()
    values = _write(
        folder,
        archives,
        compare={"comparisons": {"code": {"kind": "population_code", "responses": ["gratings_responses"]}}},
    )
    cfg, registry = _configure(values, root)
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
    cfg = configuration.validate({"collections": {"probes": {**ASKED["probes"], **change}}})
    with pytest.raises(ConfigError) as error:
        check_collections(cfg)
    for word in words:
        assert word in str(error.value)


def test_a_collection_that_is_none_and_a_lock_file_that_is_damaged(
    folder: Path, archives: Archives, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _resolve("--collection", "gratins") == 1
    assert "perhaps 'gratings' is meant" in capsys.readouterr().err
    lock.PATH.parent.mkdir()
    lock.PATH.write_text("gratings: 3")
    with pytest.raises(ConfigError, match="the lock file of sessions cannot be read"):
        _configure(_write(folder, archives), root)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gratings": {**ASKED["gratings"], "area": ["VISpp"]}}, "perhaps 'VISp' is meant"),
        ({"gratings": {**ASKED["gratings"], "session": [1]}}, "the archive has no session 1"),
        ({"probes": {**ASKED["probes"], "session": ["7"]}}, "the dandiset has no session 7"),
    ],
)
def test_a_failed_question_leaves_the_lock_file_as_it_was(
    folder: Path, archives: Archives, change: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(folder, archives, collections=change)
    assert _resolve() == 1
    assert words in capsys.readouterr().err
    assert not lock.PATH.exists()


def test_offline_nothing_is_asked(folder: Path, archives: Archives, capsys: pytest.CaptureFixture[str]) -> None:
    _write(folder, archives, retrieve={"offline": True})
    assert _resolve() == 1
    assert "the configuration says offline" in capsys.readouterr().err
    assert not archives.questions


def test_sessions_that_do_not_fit_on_the_disk_are_refused(
    folder: Path, archives: Archives, root: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve()
    cfg, registry = _configure(_write(folder, archives), root)
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


@pytest.mark.slow
def test_a_session_that_fails_is_fetched_alone_in_the_next_run(
    folder: Path, archives: Archives, files: dict[str, bytes], snakemake: Run
) -> None:
    """One connection breaks and is continued; one file is not there, and no other session is asked for again."""
    two = {"gratings": {**ASKED["gratings"], "most": 2}}
    _write(folder, archives, collections=two, homogenize={"responses": ["gratings_responses"]})
    _resolve()
    place = "/files/visual-coding-2p/ophys_experiment_data/503.nwb"
    missing = archives.files.pop(place)
    archives.break_after = [len(files["501"]) // 3]
    options = ("--cores", "1", "--configfile", str(folder / "allen.yaml"), "--keep-going")
    first = snakemake("retrieve", *options, directory=folder, ALLOMETRY_MIRROR="")
    assert first.returncode != 0
    text = first.stdout + first.stderr
    assert "no place gives the file 503.nwb" in text
    assert "Collection gratings: 2 sessions, 0 here, " in text
    raw = folder / "results/raw"
    assert (raw / "gratings_501/501.nwb").read_bytes() == files["501"]
    assert not list(raw.glob("gratings_503/*.nwb"))
    assert len([wanted for wanted in archives.ranges if wanted]) == 1
    archives.files[place] = missing
    archives.asked.clear()
    made = "results/homogenized/responses/gratings_503_responses.zarr"
    second = snakemake(made, *options, directory=folder, ALLOMETRY_MIRROR="")
    assert second.returncode == 0, second.stdout + second.stderr
    assert {path for path, _ in archives.asked} == {place}
    assert stores.violations(stores.open(folder / made)) == []
    learned = yaml.safe_load((folder / "config/datasets.lock.yaml").read_text())
    assert set(learned) == {"gratings_501", "gratings_503"}


def test_a_file_of_another_checksum_is_not_kept(folder: Path, archives: Archives, root: Path, tmp_path: Path) -> None:
    _resolve()
    _, registry = _configure(_write(folder, archives), root)
    (asset,) = archives.assets
    archives.files[f"/blobs/{asset}"] = b"another version"
    with pytest.raises(RetrieveError, match=r"wrong checksum of sub-1_ses-715093703\.nwb"):
        retrieve.run("probes_715093703", registry["probes_715093703"], tmp_path / "raw", None, tmp_path / "cache")
    assert not list((tmp_path / "raw").glob("*.nwb"))


def test_every_store_of_a_session_says_where_it_is_from(
    folder: Path, archives: Archives, root: Path, tmp_path: Path
) -> None:
    _resolve()
    _, registry = _configure(_write(folder, archives), root)
    retrieve.run("probes_715093703", registry["probes_715093703"], tmp_path / "raw", None, tmp_path / "cache")
    homogenize.run(registry["probes_715093703"], "probes_715093703_spikes", tmp_path / "raw", tmp_path / "s.zarr")
    made = stores.open(tmp_path / "s.zarr")
    assert made.attrs["licence"] == "CC-BY-4.0"
    assert made.attrs["citation"].startswith("Siegle et al. (2022)")
    (asset,) = archives.assets
    assert archives.assets[asset][2]["dandi:sha2-256"] in str(made.attrs["source"])


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


@pytest.mark.slow
def test_from_session_to_comparison_and_report(
    folder: Path, archives: Archives, snakemake: Run, files: dict[str, bytes]
) -> None:
    """The whole chain: resolve, fetch through a connection that breaks, homogenize, compare with the bank, report."""
    archives.asset("sub-2/sub-2_ses-719161530.nwb", files["probes"])
    two = {"session": ["715093703", "719161530"]}
    collections = {"gratings": {**ASKED["gratings"], "most": 2}, "probes": {**ASKED["probes"], **two}}
    quick = {"splits": 5, "nulls": 20}
    small = {**quick, "bootstrap": 100, "pixels": 16, "field_deg": 10.0, "models": ["pixels", "random_convolution"]}
    both = ["gratings_responses"]
    comparisons: dict[str, Any] = {
        "representation": {
            "kind": "representation_similarity",
            "responses": both,
            "measures": ["ssm", "svcca"],
            "decoding_across": True,
            **small,
        },
        "code": {"kind": "population_code", "responses": both, "subsets": 2, **quick},
        "trains": {"kind": "spike_statistics", "spikes": ["probes_spikes"], "statistics": ["rate", "cv"]},
    }
    _write(
        folder,
        archives,
        collections=collections,
        homogenize={"responses": both, "spikes": ["probes_spikes"]},
        compare={"comparisons": comparisons},
    )
    _resolve()
    archives.break_after = [100_000]  # of whichever file comes first
    done = snakemake("--cores", "2", "--configfile", str(folder / "allen.yaml"), directory=folder, ALLOMETRY_MIRROR="")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]
    assert len([wanted for wanted in archives.ranges if wanted]) == 1
    rows = stores.open(folder / "results/compared/representation.zarr").to_dataset()
    assert {"ssm", "svcca", "decoding_across", "pseudo_depth"} <= set(rows["measure"].values.tolist())
    assert {f"gratings_{number}_responses" for number in (501, 503)} <= set(rows["reference"].values.tolist())
    assert {"pixels: pixels", "random_convolution: layer 1"} <= set(rows["candidate"].values.tolist())
    code = stores.open(folder / "results/compared/code.zarr").to_dataset()
    assert {"decoding_within", "reliability"} <= set(code["measure"].values.tolist())
    trains = stores.open(folder / "results/compared/trains.zarr").to_dataset()
    assert "probes_719161530_spikes" in set(trains["candidate"].values.tolist() + trains["reference"].values.tolist())
    page = (folder / "results/report/index.html").read_text(encoding="utf-8")
    assert "gratings_501_responses" in page
