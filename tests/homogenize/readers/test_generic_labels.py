"""Labels, tables and files of the generic reader as people have them; oracle: what was written."""

import h5py
import numpy as np
import pandas as pd
import pytest

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import generic
from allometry.homogenize.traces import labels

RNG = np.random.default_rng(11)
TIME = np.arange(60) * 0.25


def read(*paths, species="Mus musculus", **options):
    return generic.READER(
        {path.name: path for path in paths},
        Source("mine", species, "c", "l", "real", {path.name: "" for path in paths}),
        options,
    )


def npz(path, names, **content):
    values = RNG.normal(size=(60, len(names)))
    np.savez(path, traces=values, time=TIME, labels=np.array(names, dtype="U"), **content)
    return values


def csv(path, header, rows=None, separator=","):
    rows = rows if rows is not None else [[f"{t:g}", *map(str, range(1, len(header)))] for t in TIME]
    lines = [header, *rows] if header else rows
    path.write_text("\n".join(separator.join(map(str, line)) for line in lines) + "\n")
    return path


ORDINARY = [
    ["cell_1", "cell_2"],
    ["1", "2"],
    ["501", "502", "503", "504"],
    ["PV_a", "SST_b"],
    ["V1 L", "V1 R"],
    ["a1", "A1"],
    ["NA", "none", "ROI 3", "#4", "AWC?", "V1/V2"],
    ["V1.L4.a", "V1.L4.b", "V1"],
]


@pytest.mark.parametrize("names", ORDINARY, ids=lambda names: names[0])
def test_a_label_is_itself(names):
    assert labels.assign(names, sorted(names)).label == names


@pytest.mark.parametrize("names", ORDINARY, ids=lambda names: names[0])
@pytest.mark.parametrize("kind", ["npz", "csv"])
def test_ordinary_labels_reach_the_canonical_view(tmp_path, names, kind):
    path = tmp_path / f"mouse.{kind}"
    if kind == "npz":
        npz(path, names)
    else:
        csv(path, ["time", *names])
    tree = read(path)
    assert tree["neuron"].values.tolist() == sorted(names)
    assert tree["native/mouse/label"].values.tolist() == names
    assert np.isfinite(tree["trace"].values).all()


def test_long_ids_stay_apart_as_floats():
    """MATLAB has no integers by default: 864691135000001 and ...002 are the same to six digits."""
    assert [labels.text(value) for value in (864691135000001.0, 864691135000002.0)] == [
        "864691135000001",
        "864691135000002",
    ]


def test_a_recording_without_a_canonical_neuron_is_refused_unless_asked_for(tmp_path):
    path = tmp_path / "worm.npz"
    npz(path, ["cell_1", "cell_2"])
    with pytest.raises(ReaderError, match="Nothing of this recording reaches the canonical view") as caught:
        read(path, species="Caenorhabditis elegans")
    assert "'cell_1'" in caught.value.what
    tree = read(path, species="Caenorhabditis elegans", empty_view="keep")
    assert not tree["recorded"].values.any()
    assert tree["native/worm/label_raw"].values.tolist() == ["cell_1", "cell_2"]


def test_a_view_emptied_by_gaps_is_refused(tmp_path):
    path = tmp_path / "mouse.npz"
    values = RNG.normal(size=(60, 2))
    values[0] = np.nan  # at time 0 a new sample would rest on this one alone; at multiples of 1/pi on none
    np.savez(path, traces=values, time=TIME, labels=["a", "b"])
    with pytest.raises(ReaderError, match="no two samples near enough"):
        read(path, max_gap_s=0.1, rate_hz=float(np.pi))


def test_labels_of_a_csv_keep_their_dots_and_repetitions_are_reported(tmp_path):
    tree = read(csv(tmp_path / "a.csv", ["time", "V1.L4.a", "V1.L4.b", "V1.L4.b"]))
    assert tree["neuron"].values.tolist() == ["V1.L4.a", "V1.L4.b"]
    assert tree["native/a/label"].values.tolist() == ["V1.L4.a", "", ""]
    assert "2 ROIs" in stores.attribute(tree["native/a"], "derived")["duplicate_labels"]["V1.L4.b"]


def test_a_file_without_a_header_keeps_its_first_row(tmp_path):
    rows = [[f"{t:g}", f"{t + 0.5:g}", f"{t + 0.75:g}"] for t in TIME]
    path = csv(tmp_path / "a.csv", None, rows)
    with pytest.raises(ReaderError, match="header: false"):
        read(path)
    tree = read(path, header=False, time=1)
    assert tree["neuron"].values.tolist() == ["2", "3"]
    np.testing.assert_allclose(tree["native/a/trace"].values[0], [0.5, 0.75])
    assert tree["native/a/trace"].shape == (60, 2)


@pytest.mark.parametrize(("row", "fields"), [("5,1,2,3", 4), ("5,1", 2)])
def test_a_row_with_too_many_or_too_few_fields_is_named(tmp_path, row, fields):
    path = tmp_path / "a.csv"
    path.write_text(f"time,a,b\n0,1,2\n0.25,1,2\n{row}\n")
    with pytest.raises(ReaderError, match=f"row has {fields} fields, the first line 3") as caught:
        read(path)
    assert "row 3 below the header" in caught.value.where


def test_rows_of_rois_are_checked_too(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name,0,1,2\nx.1,1,2,3\nx.2,1,2\n")
    with pytest.raises(ReaderError, match="row has 3 fields"):
        read(path, orientation="roi", native_rate_hz=4.0)


def test_the_file_that_does_not_open_can_be_left_out(tmp_path):
    npz(tmp_path / "good.npz", ["a", "b"])
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 truncated")
    paths = [tmp_path / "good.npz", tmp_path / "bad.npz"]
    with pytest.raises(ReaderError, match="Not a readable"):
        read(*paths)
    for name in ("bad", "bad.npz"):
        for species in ("Mus musculus", "Caenorhabditis elegans"):
            tree = read(*paths, leave_out=[name], species=species, empty_view="keep")
            assert tree["recording"].values.tolist() == ["good"]
            assert stores.attribute(tree, "derived")["skipped"] == {"bad": "left out by the options"}
    with pytest.raises(ReaderError, match="no recording or file 'bat'") as caught:
        read(paths[0], leave_out=["bat"])
    assert caught.value.where == "mine, leave_out"


def test_the_only_matrix_of_an_hdf5_file_is_the_default(tmp_path):
    values = RNG.normal(size=(60, 2))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/F"], file["time"], file["one"] = values, TIME, np.zeros((1, 60))
        file.create_dataset("labels", data=["a", "b"], dtype=h5py.string_dtype())
    tree = read(tmp_path / "a.h5")
    np.testing.assert_allclose(tree["native/a/trace"].values, values, rtol=1e-6)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["other"] = np.zeros((3, 4))
    with pytest.raises(ReaderError, match=r"2 matrices: group/F 60 x 2, other 3 x 4") as caught:
        read(tmp_path / "a.h5")
    assert "group/F, other" in caught.value.do


@pytest.mark.parametrize(
    ("option", "match"), [("labels", "no 'nope' to read the labels"), ("confidence", "No array 'nope'")]
)
def test_a_named_array_that_is_missing_is_an_error(tmp_path, option, match):
    npz(tmp_path / "a.npz", ["a", "b"])
    with pytest.raises(ReaderError, match=match):
        read(tmp_path / "a.npz", **{option: "nope"})


def test_sonata_lfs_and_web_pages_are_recognised(tmp_path):
    with h5py.File(tmp_path / "report.h5", "w") as file:
        file.attrs["magic"] = 0x0A7A
        file["report/all/data"], file["report/all/mapping/node_ids"] = np.zeros((60, 2)), [3, 4]
    with pytest.raises(ReaderError, match="SONATA"):
        read(tmp_path / "report.h5")
    with h5py.File(tmp_path / "spikes.h5", "w") as file:
        file.attrs["magic"] = 0x0A7A
        file["spikes/all/timestamps"] = [1.0]
    with pytest.raises(ReaderError, match="SONATA file with 'spikes'") as caught:
        read(tmp_path / "spikes.h5")
    assert "sonata_spikes" in caught.value.do
    names = {"traces": "report/all/data", "labels": "report/all/mapping/node_ids", "native_rate_hz": 10.0}
    assert read(tmp_path / "report.h5", **names)["neuron"].values.tolist() == ["3", "4"]
    head = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    for name in ("a.csv", "a.h5", "a.npz", "a.mat", "a.nwb"):
        (tmp_path / name).write_bytes(head)
        with pytest.raises(ReaderError, match="git-LFS pointer"):
            read(tmp_path / name)
    (tmp_path / "c.csv").write_text("<!DOCTYPE html>\n<html>")
    with pytest.raises(ReaderError, match="web page"):
        read(tmp_path / "c.csv")


def test_a_declared_shape_of_terabytes_is_refused_before_it_is_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("traces", shape=(10**7, 10**6), dtype="f4", chunks=(1000, 1000))
    with pytest.raises(ReaderError, match=r"shape \(10000000, 1000000\) is too large: 3.73e\+04 GiB"):
        read(tmp_path / "a.h5", native_rate_hz=4.0)
    with h5py.File(tmp_path / "b.mat", "w", userblock_size=512) as file:
        file.create_dataset("traces", shape=(10**7, 10**6), dtype="f8", chunks=(1000, 1000))
    with pytest.raises(ReaderError, match="too large"):
        read(tmp_path / "b.mat", native_rate_hz=4.0)


def test_a_single_trace_in_one_dimension(tmp_path):
    np.savez(tmp_path / "a.npz", F=np.sin(TIME), time=TIME, labels=np.array(["a"]))
    assert read(tmp_path / "a.npz", traces="F")["native/a/trace"].shape == (60, 1)


STAMPS = {
    "ms": TIME * 1e3,
    "us": TIME * 1e6,
    "ns": (TIME * 1e9).astype(np.int64) + 1_700_000_000_000_000_000,
    "datenum": 738000 + TIME / 86400,
}


@pytest.mark.parametrize("unit", ["ms", "us", "ns", "datenum"])
def test_other_units_of_time_are_refused_unless_named(tmp_path, unit):
    path = tmp_path / "a.npz"
    np.savez(path, traces=RNG.normal(size=(60, 2)), time=STAMPS[unit], labels=np.array(["a", "b"]))
    with pytest.raises(ReaderError, match="taken as seconds") as caught:
        read(path)
    assert "time_unit" in caught.value.do
    tree = read(path, time_unit=unit)
    # A day count near 738,000 resolves 10 us; a count of nanoseconds resolves all.
    np.testing.assert_allclose(tree["native/a/time"].values, TIME, atol=2e-5 if unit == "datenum" else 1e-9)
    assert tree["native_rate"].values[0] == pytest.approx(4, rel=1e-4)


def test_seconds_may_be_slow_where_the_user_says_that_they_are_seconds(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, traces=RNG.normal(size=(60, 2)), time=TIME * 240, labels=np.array(["a", "b"]))
    with pytest.raises(ReaderError, match="Samples would be 60 s apart: sample 0 is at 0 and sample 1 at 60"):
        read(path, rate_hz=0.02)
    assert read(path, rate_hz=0.02, time_unit="s")["native/a/time"].values[-1] == 59 * 60


@pytest.mark.parametrize("form", ["npz", "csv"])
def test_datetimes(tmp_path, form):
    stamps = np.datetime64("2024-05-17T10:00:00") + (TIME * 1e9).astype("timedelta64[ns]")
    path = tmp_path / f"a.{form}"
    if form == "npz":
        np.savez(path, traces=RNG.normal(size=(60, 2)), time=stamps, labels=np.array(["a", "b"]))
    else:
        pd.DataFrame({"time": stamps, "a": TIME, "b": TIME}).to_csv(path, index=False)
    tree = read(path)
    np.testing.assert_array_equal(tree["native/a/time"].values, TIME)
    assert "2024-05-17T10:00:00" in stores.attribute(tree["native/a"], "derived")["time_from"]


@pytest.mark.parametrize("wrong", [1e5, 1e6, 1e12])
def test_one_wrong_stamp_is_named(tmp_path, wrong):
    """At 1e6 s this asked for 12 GB."""
    stamps = TIME.copy()
    stamps[-1] = wrong
    path = tmp_path / "a.npz"
    np.savez(path, traces=RNG.normal(size=(60, 2)), time=stamps, labels=np.array(["a", "b"]))
    with pytest.raises(ReaderError, match=rf"time stamp of sample 59 is {wrong:.10g} s".replace("+", r"\+")):
        read(path)
    stamps[-1], stamps[0] = TIME[-1], -wrong
    np.savez(path, traces=RNG.normal(size=(60, 2)), time=stamps, labels=np.array(["a", "b"]))
    with pytest.raises(ReaderError, match="time stamp of sample 0 is -"):
        read(path)


def test_a_pause_that_is_one_is_allowed(tmp_path):
    stamps = np.concatenate([TIME, TIME + 1e4])
    path = tmp_path / "a.npz"
    np.savez(path, traces=RNG.normal(size=(120, 2)), time=stamps, labels=np.array(["a", "b"]))
    with pytest.raises(ReaderError, match="time stamp of sample 60 is 10000 s"):
        read(path)
    tree = read(path, max_pause_s=1e4)
    missing = np.isnan(tree["trace"].values[:, 0])
    time = tree["time"].values
    np.testing.assert_array_equal(missing, (time > TIME[-1]) & (time < 1e4 - 1e-9))
    np.savez(path, traces=RNG.normal(size=(120, 2)), time=np.concatenate([TIME, TIME + 1e10]), labels=["a", "b"])
    with pytest.raises(ReaderError, match="GiB"):
        read(path, max_pause_s=1e10)


def test_a_broken_stamp_in_a_table_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time,a\n0,1\n0.25,1\nx,1\n")
    with pytest.raises(ReaderError, match="sample 2 is no time: 'x'"):
        read(path)


def test_units_of_the_files_must_agree(tmp_path):
    from tests.homogenize.fixtures.nwb_rois import write

    write(tmp_path / "a.nwb", unit="percent", conversion=0.01)
    write(tmp_path / "b.nwb", unit="lumens")
    one = read(tmp_path / "a.nwb", labels="labels")
    assert one["trace"].attrs["units"] == one["native/a/trace"].attrs["units"] == "percent"
    with pytest.raises(ReaderError, match="different units: 'lumens' \\(b\\), 'percent' \\(a\\)"):
        read(tmp_path / "a.nwb", tmp_path / "b.nwb")
    assert read(tmp_path / "a.nwb", tmp_path / "b.nwb", units="1")["trace"].attrs["units"] == "1"
