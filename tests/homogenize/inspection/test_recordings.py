"""Recordings in tables and arrays of nobody's layout: the options that are printed are those that read them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import yaml

from allometry.homogenize.inspection import configuration
from allometry.homogenize.inspection.examine import examine
from tests.homogenize.fixtures import nwb_sessions
from tests.homogenize.inspection.test_every_layout import run

SAMPLES, RATE = 80, 4.0
NAMES = ["cell_a", "cell_b", "cell_c"]
TRACES = np.column_stack([np.sin(np.arange(SAMPLES) / k) for k in (3, 5, 7)])
TIME = np.arange(SAMPLES) / RATE


def frame(time: str | None = "time", names: list[str] = NAMES) -> pd.DataFrame:
    table = pd.DataFrame(TRACES, columns=names)
    if time is not None:
        table.insert(0, time, TIME)
    return table


def with_units(path: Path) -> None:
    lines = frame("t").to_csv(index=False).splitlines()
    path.write_text("\n".join([lines[0], "s,dF/F,dF/F,dF/F", *lines[1:]]) + "\n")


def frames(path: Path) -> None:
    frame(None).assign(frame=np.arange(SAMPLES) + 1).to_csv(path, index=False)


def mat(path: Path) -> None:
    cells = np.empty((3, 1), object)
    cells[:, 0] = NAMES
    scipy.io.savemat(path, {"session": {"dFF": TRACES.T, "times": TIME, "neurons": cells}})


def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["two_photon/traces"] = TRACES
        file["two_photon/timestamps"] = TIME
        file["two_photon/names"] = NAMES


def across(path: Path) -> None:
    """A row per ROI, below the time stamps."""
    table = pd.DataFrame(TRACES.T, index=NAMES, columns=TIME)
    table.index.name = "time"
    table.to_csv(path)


Write = Callable[[Path], object]
CASES: dict[str, tuple[str, Write, dict[str, Any], bool]] = {
    "csv": ("r.csv", lambda p: frame().to_csv(p, index=False), {}, True),
    "csv, ms": ("r.csv", lambda p: frame("time_ms").assign(time_ms=TIME * 1000).to_csv(p, index=False), {"time": "time_ms", "time_unit": "ms"}, True),
    "decimal comma": ("r.csv", lambda p: frame("seconds").to_csv(p, index=False, sep=";", decimal=","), {"time": "seconds"}, True),
    "row of units": ("r.csv", with_units, {"time": "t", "unit_row": True}, True),
    "frames": ("r.csv", frames, {"time": "frame", "time_is": "frames", "native_rate_hz": 1.0}, False),
    "no header": ("r.csv", lambda p: frame().to_csv(p, index=False, header=False), {"header": False, "time": "1"}, True),
    "no time": ("r.tsv", lambda p: frame(None).to_csv(p, index=False, sep="\t"), {"native_rate_hz": 1.0}, False),
    "UTF-16, as Excel saves it": ("r.txt", lambda p: frame().to_csv(p, index=False, sep="\t", decimal=",", encoding="utf-16"), {}, True),
    "latin-1": ("r.csv", lambda p: p.write_bytes(frame().rename(columns={"cell_c": "zelle_µ"}).to_csv(index=False).encode("latin-1")), {"encoding": "latin-1"}, True),
    "time in the header": ("r.csv", across, {"orientation": "roi", "labels": "time"}, True),
    "npy": ("r.npy", lambda p: np.save(p, TRACES), {"native_rate_hz": 1.0}, False),
    "parquet": ("r.parquet", lambda p: frame("t").to_parquet(p), {"time": "t"}, True),
    "feather": ("r.feather", lambda p: frame().to_feather(p), {}, True),
    "workbook": ("r.xlsx", lambda p: frame().to_excel(p, index=False), {}, True),
    "npz": ("r.npz", lambda p: np.savez(p, dff=TRACES.T, t=TIME, labels=NAMES), {"traces": "dff", "orientation": "roi", "time": "t"}, True),
    "npz without names": ("r.npz", lambda p: np.savez(p, F=TRACES, time=TIME), {"traces": "F", "labels": None}, True),
    "mat": ("r.mat", mat, {"traces": "session.dFF", "orientation": "roi", "time": "session.times", "labels": "session.neurons"}, True),
    "hdf5": ("r.h5", hdf5, {"traces": "two_photon/traces", "time": "two_photon/timestamps", "labels": "two_photon/names"}, True),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(CASES))
def test_options_of_a_recording(case: str, tmp_path: Path, root: Path) -> None:
    name, write, expected, timed = CASES[case]
    (tmp_path / "files").mkdir()
    write(tmp_path / "files" / name)
    found = examine([tmp_path / "files"])
    assert [finding.reader for finding in found.findings] == ["generic"]
    assert dict(found.findings[0].stores[""][1]) == expected
    (store,) = run(configuration.text(found), tmp_path, root).values()
    native = store["native/r"]
    np.testing.assert_allclose(native["trace"].values, TRACES, atol=1e-6)
    assert float(store["native_rate"].values[0]) == pytest.approx(RATE if timed else 1.0)
    if case not in ("no header", "npz without names", "npy"):
        named = [*NAMES[:2], "zelle_µ"] if case == "latin-1" else NAMES
        assert native["label"].values.tolist() == named
    assert timed or any("native_rate_hz" in doubt for doubt in found.findings[0].doubts)


def test_an_array_beside_others_is_no_recording_but_by_its_name(tmp_path: Path) -> None:
    """The folder of a sorting has matrices that are no traces."""
    for name in ("templates_ind.npy", "dff.npy"):
        np.save(tmp_path / name, TRACES)
    found = examine([tmp_path])
    assert [list(finding.files) for finding in found.findings] == [["dff.npy"]]
    assert "npy with 1 array" in found.left[tmp_path / "templates_ind.npy"]


def test_columns_of_units_and_times_are_spikes(tmp_path: Path, root: Path) -> None:
    """They were traces of one ROI, called `unit`."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"unit": rng.integers(0, 4, 200), "time": np.sort(rng.uniform(0, 9, 200))})
    table.to_csv(tmp_path / "s.csv", index=False)
    found = examine([tmp_path / "s.csv"])
    assert [finding.reader for finding in found.findings] == ["generic_spikes"]
    assert [finding.reader for finding in found.others] == ["generic"]
    (store,) = run(configuration.text(found), tmp_path, root).values()
    assert store["row_size"].values.tolist() == table["unit"].value_counts().sort_index().tolist()


def test_names_of_worm_neurons_say_the_species(tmp_path: Path) -> None:
    frame("time", ["AVAL", "VB02", "RIML"]).to_csv(tmp_path / "w.csv", index=False)
    found = examine([tmp_path / "w.csv"])
    assert found.findings[0].species == "Caenorhabditis elegans"
    assert "3 unique labels" in " ".join(found.tried[0])


def test_files_alike_are_one_data_set_and_others_another(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        frame().to_csv(tmp_path / name, index=False)
    frame("seconds").to_csv(tmp_path / "c.csv", index=False)
    found = examine([tmp_path])
    assert sorted(len(finding.files) for finding in found.findings) == [1, 2]


def test_units_that_are_not_good_are_a_doubt_with_the_option_that_leaves_them_out(tmp_path: Path, root: Path) -> None:
    np.save(tmp_path / "spike_times.npy", np.array([3000, 6000, 9000, 9500]))
    np.save(tmp_path / "spike_clusters.npy", np.array([0, 1, 2, 1]))
    (tmp_path / "params.py").write_text("sample_rate = 30000.\n")
    (tmp_path / "cluster_group.tsv").write_text("cluster_id\tgroup\n0\tgood\n1\tmua\n2\tgood\n")
    found = examine([tmp_path])
    (doubt,) = found.findings[0].doubts
    assert doubt == "units of every `group` are kept (2 good, 1 mua): the option `keep: {group: good}` keeps one kind"
    assert f"#   check: {doubt}" in configuration.text(found)
    made = configuration.configuration(found)
    next(iter(made["datasets"].values()))["options"] = {"keep": {"group": "good"}}
    (store,) = run(yaml.safe_dump(made), tmp_path / "out", root).values()
    assert store.sizes["unit"] == 2


def test_what_the_files_say_of_the_species_is_not_asked_for(tmp_path: Path) -> None:
    path = nwb_sessions.write(tmp_path / "s1.nwb")
    found = examine([path])
    assert found.findings[0].named == "Mus musculus"
    assert "`species`" not in configuration.text(found)
    np.savetxt(tmp_path / "plain.csv", TRACES, delimiter=",", header="a,b,c", comments="")
    assert "`species`" in configuration.text(examine([tmp_path / "plain.csv"]))


def test_the_summary_says_what_was_inferred_in_words(tmp_path: Path) -> None:
    for name in "ab":
        frame().to_csv(tmp_path / f"{name}.csv", index=False)
    told = examine([tmp_path]).tried[0]
    assert "  labels_from: header line (a; and of 1 more)" in told
    assert not any("derived" in line for line in told)
