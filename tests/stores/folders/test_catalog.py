"""One row per recording; oracles: what was put into the stores."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allometry import cli, stores
from allometry.errors import StoreError
from allometry.stores.folders.catalog import COLUMNS, printed
from tests.stores import samples

ATTRS = {
    "title": "t",
    "species": "Mus musculus",
    "citation": "me",
    "licence": "CC0",
    "source": {},
    "parameters": {},
    "derived": {},
}


def recording(name: str, seconds: int, **metadata: str) -> stores.Recording:
    time = np.arange(seconds * 4) / 4
    trace = np.random.default_rng(len(name)).random((time.size, 3)).astype(np.float32)
    return stores.Recording(
        name=name,
        time=time,
        trace=trace,
        label=["a", "b", ""],
        resampled=trace[:, :2],
        metadata=dict(metadata),
        extra={
            "stimulus": ("time", np.where(time < 2, "", "gratings").astype(object), {}),
            "area": ("roi", np.array(["VISp", "VISl", "VISp"], object), {}),
        },
    )


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder of results: two recordings of activity, one of spikes, one of responses, and what is no recording."""
    parts = [
        recording("one", 1800, indicator="GCaMP6f", genotype="Cux2"),
        recording("second", 900, indicator="", genotype=""),
    ]
    stores.write(stores.activity(parts, ["a", "b"], 4.0, attrs=ATTRS), tmp_path / "homogenized/activity/mice.zarr")
    units = pd.DataFrame({"area": ["VISp", "CA1"], "population": ["p", "p"]})
    spikes = stores.spikes_recorded(
        np.array([0.5, 1.5, 100.0]),
        np.array([1, 2]),
        units=units,
        observed=[[0.0, 1000.0], [2000.0, 2800.0]],
        attrs=ATTRS,
    )
    spikes.attrs["session"] = '{"session_id": "715093703", "genotype": "Sst-IRES-Cre"}'
    stores.write(spikes, tmp_path / "homogenized/spikes/probe.zarr")
    shown = pd.DataFrame(
        {
            "stimulus": ["scenes", "gratings"],
            "condition": ["x", "y"],
            "repeat": [0, 0],
            "onset": [10.0, 3600.0],
            "duration": [1.0, 10.0],
        }
    )
    made = stores.responses(np.zeros((5, 2), np.float32), shown, pd.DataFrame(index=range(5)), attrs=ATTRS)
    stores.write(made, tmp_path / "homogenized/responses/shown.zarr")
    stores.write(samples.connectome(), tmp_path / "homogenized/connectome/wires.zarr")
    stores.write(samples.spikes(), tmp_path / "simulated/run/point.zarr")
    return tmp_path


def test_every_recording_has_a_row(results: Path) -> None:
    table = stores.catalog(results)
    assert tuple(table.columns) == COLUMNS
    assert list(zip(table["store"], table["recording"])) == [
        ("mice", "one"),
        ("mice", "second"),
        ("shown", "t"),
        ("probe", "715093703"),
    ]
    by = table.set_index("recording")
    assert by.loc["one", ["area", "cell_type", "indicator", "stimulus"]].tolist() == [
        "VISl, VISp",
        "Cux2",
        "GCaMP6f",
        "gratings",
    ]
    assert by.loc["second", ["cell_type", "indicator"]].tolist() == ["", ""]
    assert by["hours"].tolist() == pytest.approx([0.5, 0.25, 3600 / 3600, 1800 / 3600])
    assert by["units"].tolist() == [3, 3, 5, 2]
    assert by.loc["one", ["labelled", "rate_hz"]].tolist() == [2, 4]
    assert by.loc["t", "stimulus"] == "gratings, scenes"
    assert by.loc["715093703", ["area", "cell_type"]].tolist() == ["CA1, VISp", "Sst-IRES-Cre"]
    assert set(table["licence"]) == {"CC0"}
    assert set(table["species"]) == {"Mus musculus"}


def test_the_command_prints_the_table_or_writes_it(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["catalog", str(results)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["store", "kind", "recording", "species", "area", "cell_type", "indicator", "stimulus", "hours", "units", "labelled", "rate_hz", "licence"]  # fmt: skip
    assert len(lines) == 4 + 3
    assert lines[-1] == "4 recordings in 3 stores: 2.25 hours, 13 units"
    assert cli.main(["catalog", str(results), "--csv", str(tmp_path / "all.csv")]) == 0
    written = pd.read_csv(tmp_path / "all.csv", keep_default_na=False)
    assert written["citation"].tolist() == ["me"] * 4
    assert cli.main(["catalog", str(results / "none")]) == 1
    assert "there is no such folder" in capsys.readouterr().err


def test_folders_without_recordings(results: Path, tmp_path: Path) -> None:
    table = stores.catalog(results / "simulated")
    assert table.empty
    assert printed(table) == "no recordings"
    with pytest.raises(StoreError):
        stores.catalog(tmp_path / "elsewhere")


def test_responses_without_times_have_no_hours(tmp_path: Path) -> None:
    """A table of mean responses does not say when anything was shown."""
    shown = pd.DataFrame({"stimulus": ["gratings"] * 2, "condition": ["x", "y"], "repeat": [0, 0]})
    made = stores.responses(np.zeros((5, 2), np.float32), shown, pd.DataFrame(index=range(5)), attrs=ATTRS)
    stores.write(made, tmp_path / "responses/shown.zarr")
    (row,) = stores.catalog(tmp_path).to_dict("records")
    assert row["units"] == 5
    assert np.isnan(row["hours"])
