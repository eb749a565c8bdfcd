"""Sessions are fetched, through broken connections too, homogenized and compared."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from allometry import homogenize, retrieve, stores
from allometry.errors import RetrieveError
from tests.retrieve.sessions.archives import Archives
from tests.workflow.conftest import Run
from tests.workflow.recording_sessions import asking


@pytest.mark.slow
def test_a_session_that_fails_is_fetched_alone_in_the_next_run(
    folder: Path, archives: Archives, files: dict[str, bytes], snakemake: Run
) -> None:
    """One connection breaks and is continued; one file is not there, and no other session is asked for again."""
    two = {"gratings": {**asking.ASKED["gratings"], "most": 2}}
    asking.write(folder, archives, collections=two, homogenize={"responses": ["gratings_responses"]})
    asking.resolve()
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
    asking.resolve()
    _, registry = asking.configure(asking.write(folder, archives), root)
    (asset,) = archives.assets
    archives.files[f"/blobs/{asset}"] = b"another version"
    with pytest.raises(RetrieveError, match=r"wrong checksum of sub-1_ses-715093703\.nwb"):
        retrieve.run("probes_715093703", registry["probes_715093703"], tmp_path / "raw", None, tmp_path / "cache")
    assert not list((tmp_path / "raw").glob("*.nwb"))


def test_every_store_of_a_session_says_where_it_is_from(
    folder: Path, archives: Archives, root: Path, tmp_path: Path
) -> None:
    asking.resolve()
    _, registry = asking.configure(asking.write(folder, archives), root)
    retrieve.run("probes_715093703", registry["probes_715093703"], tmp_path / "raw", None, tmp_path / "cache")
    homogenize.run(registry["probes_715093703"], "probes_715093703_spikes", tmp_path / "raw", tmp_path / "s.zarr")
    made = stores.open(tmp_path / "s.zarr")
    assert made.attrs["licence"] == "CC-BY-4.0"
    assert made.attrs["citation"].startswith("Siegle et al. (2022)")
    (asset,) = archives.assets
    assert archives.assets[asset][2]["dandi:sha2-256"] in str(made.attrs["source"])


@pytest.mark.slow
def test_from_session_to_comparison_and_report(
    folder: Path, archives: Archives, snakemake: Run, files: dict[str, bytes]
) -> None:
    """The whole chain: resolve, fetch through a connection that breaks, homogenize, compare with the bank, report."""
    archives.asset("sub-2/sub-2_ses-719161530.nwb", files["probes"])
    two = {"session": ["715093703", "719161530"]}
    collections = {"gratings": {**asking.ASKED["gratings"], "most": 2}, "probes": {**asking.ASKED["probes"], **two}}
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
    asking.write(
        folder,
        archives,
        collections=collections,
        homogenize={"responses": both, "spikes": ["probes_spikes"]},
        compare={"comparisons": comparisons},
    )
    asking.resolve()
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
