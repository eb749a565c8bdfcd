"""Worm readers against fixtures that somebody else wrote from the descriptions of the layouts (`layouts`)."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from allometry import homogenize, stores
from allometry.homogenize.worm.neurons import NEURONS
from tests.homogenize.layouts import worms
from tests.homogenize.layouts.truth import LABELS, NAMES, Worm, worm

FRAMES = 700


def build(reader: str, files: list[Path], out: Path, **options: Any) -> xr.DataTree:
    entry = {
        "name": reader,
        "reader": reader,
        "species": "Caenorhabditis elegans",
        "verified": "layout-only",
        "files": [{"name": file.name, "sha256": ""} for file in files],
        "stores": {"made": {"kind": "activity", "options": options}},
    }
    homogenize.run(entry, "made", files[0].parent, out / "made.zarr")
    tree = stores.open(out / "made.zarr", check="full")
    assert isinstance(tree, xr.DataTree)
    assert stores.violations(tree) == []
    assert tree["neuron"].values.tolist() == list(NEURONS)
    return tree


def native(tree: xr.DataTree, number: int) -> xr.Dataset:
    return tree[f"native/{tree['recording'].values[number]}"].to_dataset()


def agrees(group: xr.Dataset, given: Worm, *, labels: list[str] | None = None, tolerance: float = 1e-6) -> None:
    """Every region, sample, name and time of the recording is in its native group."""
    assert group["trace"].shape == given.trace.shape
    np.testing.assert_allclose(group["trace"].values, given.trace.astype(np.float32), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(np.diff(group["time"].values), np.diff(given.time), atol=1e-6)
    assert group["label"].values.tolist() == (given.labels if labels is None else labels)


def on_axis(tree: xr.DataTree, number: int, given: Worm) -> None:
    """The canonical view has the labelled neurons and no other, at 3 Hz, over the duration of the recording."""
    recorded = tree["recorded"].values[number]
    assert {NEURONS[i] for i in np.flatnonzero(recorded)} == {label for label in given.labels if label}
    duration = given.time[-1] - given.time[0]
    assert abs(tree["row_size"].values[number] - (duration * 3 + 1)) < 1.5
    ours = list(stores.split(tree).values())[number]
    column = list(NEURONS).index("RID")
    there = np.interp(ours["time"].values, given.time - given.time[0], given.trace[:, given.labels.index("RID")])
    inner = slice(30, -30)
    assert np.corrcoef(ours["trace"].values[inner, column], there[inner])[0, 1] > 0.99


ZIMMER = [
    ("kato2015", ["WT_NoStim.mat", "WT_Stim.mat"], None, ("IDs", "traces", "timeVectorSeconds")),
    ("kato2015", ["WT_NoStim.mat", "WT_Stim.mat"], None, ("NeuronNames", "deltaFOverF_bc", "tv")),
    ("nichols2017", ["n2_let.mat", "npr1_prelet.mat"], None, ("IDs", "traces", "timeVectorSeconds")),
    ("skora2018", ["WT_fasted.mat", "WT_starved.mat"], None, ("IDs", "traces", "timeVectorSeconds")),
    (
        "kaplan2020",
        ["Neuron2019_Data_MNhisCl_RIShisCl.mat", "Neuron2019_Data_RIShisCl.mat"],
        ["MNhisCl_RIShisCl_Neuron2019", "RIShisCl_Neuron2019"],
        ("neuron_ID", "traces_bleach_corrected", "time_vector"),
    ),
    ("uzel2022_activity", ["Uzel_WT.mat"], None, ("IDs", "traces", "tv")),
]


@pytest.mark.parametrize(("reader", "names", "structs", "fields"), ZIMMER, ids=[f"{z[0]}-{z[3][0]}" for z in ZIMMER])
def test_files_of_the_zimmer_laboratory(reader, names, structs, fields, tmp_path):
    written, files = [], []
    for place, name in enumerate(names):
        some = [worm(10 * place + k, FRAMES + 10 * k, 0.34, missing=k == 1) for k in range(2)]
        struct = (structs or [Path(n).stem for n in names])[place]
        worms.zimmer(tmp_path / name, some, struct, fields)
        files.append(tmp_path / name)
        written += some
    tree = build(reader, files, tmp_path)
    assert tree.sizes["recording"] == len(written)
    for number, given in enumerate(written):
        agrees(native(tree, number), given)
        on_axis(tree, number, given)
    np.testing.assert_allclose(tree["native_rate"].values, 1 / 0.34, rtol=0.01)
    assert np.isnan(native(tree, 1)["trace"].values).sum() == 9
    assert sorted(set(tree["file"].values.tolist())) == sorted(names)


def test_candidates_for_one_neuron_are_not_chosen_from(tmp_path):
    given = worm(0, FRAMES, 0.34)
    given.names[1] = ["RIML", "RIMR"]  # type: ignore[call-overload]  # a cell of two names
    worms.zimmer(tmp_path / "n2_let.mat", [given], "n2_let", nested=False)
    group = native(build("nichols2017", [tmp_path / "n2_let.mat"], tmp_path), 0)
    assert group["label"].values.tolist() == ["AVAL", "", *LABELS[2:]]
    assert "RIM" in str(group.attrs)  # said, not dropped


def test_yemini_left_and_right_are_unpacked(tmp_path):
    rng, fps, lengths = np.random.default_rng(0), 4.0, [720, 700]

    def traces(present: list[bool]) -> list[np.ndarray]:
        both = [*lengths, *lengths][: len(present)]
        made = [np.cumsum(rng.normal(size=n)) / 10 if there else np.zeros(0) for n, there in zip(both, present)]
        for trace in made:
            trace[:4] = 0
        return made

    neurons = {
        "AVA": (True, traces([True, True, True, False])),  # the right one is missing in the second worm
        "RID": (False, traces([True, True])),
        "VB2": (False, traces([True, False])),
        "RIM": (True, traces([False, True, True, True])),
    }
    path = tmp_path / "Head_Activity_OH15500.mat"
    worms.yemini(path, fps, ["a.mat", "b.mat"], neurons)
    tree = build("yemini2021", [path], tmp_path)
    assert tree.sizes["recording"] == 2
    expected: list[dict[str, np.ndarray]] = [{}, {}]
    for name, (sided, packed) in neurons.items():
        for place, trace in enumerate(packed):
            side = ("L" if place < 2 else "R") if sided else ""
            if trace.size:
                expected[place % 2][name + side] = trace
    assert [len(some) for some in expected] == [5, 4]
    for number, some in enumerate(expected):
        group = native(tree, number)
        known = {label: group["trace"].values[:, i] for i, label in enumerate(group["label"].values) if label}
        assert set(known) == set(some)
        for label, trace in some.items():
            np.testing.assert_allclose(known[label][4:], trace[4:], rtol=1e-6, atol=1e-6)
            assert np.isnan(known[label][:4]).all()  # exact zeros before the recording begins
        assert "leading_zeros" in stores.attribute(group, "derived")
    np.testing.assert_allclose(tree["native_rate"].values, fps)


def test_lin_keeps_what_was_proofread(tmp_path):
    given, use = worm(3, FRAMES, 0.4), np.ones(len(NAMES), bool)
    use[[1, 9]] = False
    given.trace += 100  # fluorescence
    corrected = worms.lin(tmp_path / "worm_1.mat", given, use)
    tree = build("lin2023", [tmp_path / "worm_1.mat"], tmp_path)
    group = native(tree, 0)
    labels = [label if used else "" for label, used in zip(LABELS, use)]
    change = (corrected - given.trace[0]) / given.trace[0]
    assert np.isnan(change[0]).all()
    agrees(group, Worm(given.time, change, labels=labels), tolerance=1e-5)
    assert "AVAR" in str(group.attrs)  # said why it has no label


def test_leifer_has_three_files_per_worm(tmp_path):
    some = [worm(number, 1000 + number, 0.5, missing=number == 1) for number in range(2)]
    some[0].trace[:, 4] = np.nan  # a column without any value
    some[1].names[3], some[1].labels[3] = "merge", ""
    for number, given in enumerate(some):
        worms.leifer(tmp_path, number, given)
    files = sorted(tmp_path.glob("*.txt"))
    tree = build("leifer2023", files, tmp_path)
    assert tree.sizes["recording"] == 2
    for number, given in enumerate(some):
        agrees(native(tree, number), given)
    assert not tree["recorded"].values[0, list(NEURONS).index("RID")]  # never a value
    on_axis(tree, 1, some[1])


@pytest.mark.parametrize("suffix", [".json.bz2", ".json", ".h5"])
def test_flavell_by_number_from_one(suffix, tmp_path):
    given = worm(4, FRAMES, 0.6, start=12.0, missing=False)
    path = tmp_path / f"2023-01-23-01{suffix}"
    (worms.flavell_h5 if suffix == ".h5" else worms.flavell_json)(path, given)
    tree = build("flavell2023", [path], tmp_path)
    agrees(native(tree, 0), given)
    on_axis(tree, 0, given)
    np.testing.assert_allclose(tree["native_rate"].values, 1 / 0.6, rtol=0.01)


def test_venkatachalam_frames_start_after_the_blank_ones(tmp_path):
    given = worm(5, FRAMES, 0.375, jitter=0.0, missing=True)
    worms.venkatachalam(tmp_path / "worm_1.zip", given)
    tree = build("venkatachalam2024", [tmp_path / "worm_1.zip"], tmp_path)
    agrees(native(tree, 0), given)
    on_axis(tree, 0, given)
    np.testing.assert_allclose(tree["native_rate"].values, 1 / 0.375)


def test_nejatbakhsh_without_pynwb(tmp_path):
    given = worm(6, FRAMES, 0.25, jitter=0.0, missing=True)
    worms.nejatbakhsh(tmp_path / "worm_1.nwb", given)
    tree = build("nejatbakhsh2020", [tmp_path / "worm_1.nwb"], tmp_path)
    agrees(native(tree, 0), given)
    on_axis(tree, 0, given)
    np.testing.assert_allclose(tree["native_rate"].values, 4.0)


def test_first_use_asks_to_check_what_was_found(tmp_path, caplog):
    worms.flavell_json(tmp_path / "a.json", worm(7, FRAMES, 0.6))
    with caplog.at_level(logging.WARNING):
        build("flavell2023", [tmp_path / "a.json"], tmp_path)
    said = caplog.text
    assert f"{FRAMES} samples x {len(NAMES)} ROIs" in said
    assert "Please check" in said
