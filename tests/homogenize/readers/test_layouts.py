"""Every worm reader on the synthetic files of its layout; oracle: what the generator put into them."""

import bz2

import numpy as np
import pytest
import scipy.io

from allometry import stores
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from allometry.homogenize.traces import labels
from allometry.homogenize.worm.neurons import NEURONS
from tests.homogenize.fixtures.matlab73 import Cell, save
from tests.homogenize.fixtures.worms import WRITERS

READER_OF = {"uzel2022": "uzel2022_activity"}
SPECIAL = {"leifer2023": {"merge": ""}}


def read(source, fixture, options=None):
    reader = READERS[READER_OF.get(source, source)]
    described = Source(source, "Caenorhabditis elegans", "c", "l", "layout-only", dict.fromkeys(fixture.files, ""))
    return reader(dict(fixture.files), described, dict(options or {}))


@pytest.fixture(scope="module", params=sorted(WRITERS))
def case(request, tmp_path_factory):
    fixture = WRITERS[request.param](tmp_path_factory.mktemp(request.param))
    return request.param, fixture, read(request.param, fixture)


def in_order(source, fixture, tree):
    """Recordings of the store in the order of the fixture's worms."""
    names = tree["recording"].values.tolist()
    assert len(names) == len(fixture.worms)
    if source == "kato2015":
        names = [n for n in names if "WT_Stim" in n] + [n for n in names if "NoStim" in n]
    return [tree[f"native/{name}"].to_dataset(inherit=False) for name in names]


def test_the_store_is_valid(case):
    assert stores.violations(case[2]) == []


def test_every_trace_and_time_stamp_is_kept(case):
    source, fixture, tree = case
    for worm, native in zip(fixture.worms, in_order(source, fixture, tree)):
        expected = worm.trace.copy()
        if source == "yemini2021":
            expected[:3] = np.nan  # the leading zeros are no data
        np.testing.assert_allclose(native["trace"].values, expected, rtol=1e-5)
        np.testing.assert_allclose(native["time"].values, worm.time - worm.time[0], atol=1e-6)


def test_labels_are_those_of_the_file(case):
    source, fixture, tree = case
    for worm, native in zip(fixture.worms, in_order(source, fixture, tree)):
        raw = [SPECIAL.get(source, {}).get(name, name) for name in worm.labels]
        assert native["label_raw"].values.tolist() == raw
        certain = [labels.parse(name, NEURONS) for name in raw]
        expected = [item.candidates[0] if item.status == "named" else "" for item in certain]
        assert native["label"].values.tolist() == expected


def test_ambiguous_labels_stay_ambiguous_and_zeros_go(case):
    source, fixture, tree = case
    native = in_order(source, fixture, tree)[0]
    by_raw = dict(zip(native["label_raw"].values.tolist(), range(native.sizes["roi"])))
    if "AWC?" in by_raw:
        assert native["label"].values[by_raw["AWC?"]] == ""
        assert native["label_candidates"].values[by_raw["AWC?"]] == "AWCL/AWCR"
    if "VB02" in by_raw:
        assert native["label"].values[by_raw["VB02"]] == "VB2"
        assert "VB02 -> VB2" in stores.attribute(native, "derived")["renamed_labels"]


def test_the_canonical_view_holds_the_labelled_neurons_at_3_hz(case):
    source, fixture, tree = case
    root = tree.to_dataset(inherit=False)
    assert root.sizes["neuron"] == 302
    for number, native in enumerate(in_order(source, fixture, tree)):
        name = native.encoding.get("name", None) or tree["recording"].values[number]
        if source == "kato2015":
            continue
        rows = root["recording_index"].values == list(root["recording"].values).index(name)
        np.testing.assert_allclose(np.diff(root["time"].values[rows]), 1 / 3)
        named = sorted(label for label in native["label"].values.tolist() if label)
        seen = np.isfinite(root["trace"].values[rows]).any(axis=0)
        assert sorted(root["neuron"].values[seen].tolist()) == named


def test_a_layout_only_reader_asks_to_be_checked(tmp_path, caplog):
    fixture = WRITERS["skora2018"](tmp_path)
    read("skora2018", fixture)
    assert "never saw a genuine file" in caplog.text
    assert "620 samples x 12 ROIs" in caplog.text


def test_confidences_are_kept(tmp_path):
    fixture = WRITERS["flavell2023"](tmp_path)
    tree = read("flavell2023", fixture)
    native = in_order("flavell2023", fixture, tree)[0]
    for roi, value in fixture.worms[0].facts["confidence"].items():
        assert native["label_confidence"].values[roi] == value


def test_behavioural_states_in_a_struct_are_kept(tmp_path):
    rng = np.random.default_rng(0)
    states = [{"fwd": rng.integers(0, 2, (620, 1)), "rev": rng.integers(0, 2, (620, 1))} for _ in range(2)]
    content = {
        "IDs": Cell([Cell(["AVAL", "AVAR"])] * 2),
        "traces": Cell([rng.standard_normal((620, 2)) for _ in range(2)]),
        "tv": Cell([np.arange(620.0)[:, None] / 3] * 2),
        "States": Cell(states),
        "comment": "x",
    }
    path = save(tmp_path / "Uzel_WT.mat", {"Uzel_WT": content})
    source = Source("uzel2022", "", "", "", "layout-only", {path.name: ""})
    tree = READERS["uzel2022_activity"]({path.name: path}, source, {})
    native = tree["native/Uzel_WT_2"]
    np.testing.assert_array_equal(native["States_rev"].values, states[1]["rev"][:, 0])
    assert stores.attribute(native, "derived")["not_kept"] == ["comment"]


def test_json_as_the_site_delivers_it(tmp_path):
    fixture = WRITERS["flavell2023"](tmp_path)
    plain = next(path for path in fixture.files.values() if path.suffix == ".json")
    packed = tmp_path / f"{plain.name}.bz2"
    packed.write_bytes(bz2.compress(plain.read_bytes()))
    source = Source("flavell2023", "", "", "", "layout-only", {packed.name: ""})
    tree = READERS["flavell2023"]({packed.name: packed}, source, {})
    assert tree["recording"].values.tolist() == [plain.stem]


def test_stimuli_of_yemini_are_kept(tmp_path):
    fixture = WRITERS["yemini2021"](tmp_path)
    path = fixture.files["Head_Activity_OH15500.mat"]
    content = {key: value for key, value in scipy.io.loadmat(path).items() if not key.startswith("__")}
    names = np.empty((1, 2), dtype=object)
    names[0] = ["butanone", "nacl"]
    scipy.io.savemat(path, {**content, "stim_names": names, "stim_times": np.array([[60.5, 70.5], [180.5, 190.5]])})
    source = Source("yemini2021", "", "", "", "layout-only", {path.name: ""})
    native = READERS["yemini2021"]({path.name: path}, source, {})["native/Head_Activity_OH15500_animal_0"]
    assert native["stimulus"].values.tolist() == ["butanone", "nacl"]
    np.testing.assert_array_equal(native["stimulus_time"].values, [[60.5, 70.5], [180.5, 190.5]])


def test_leifer_reports_gaps_and_straight_lines_and_filters_on_request(tmp_path):
    fixture = WRITERS["leifer2023"](tmp_path)
    native = in_order("leifer2023", fixture, read("leifer2023", fixture))[1]
    derived = stores.attribute(native, "derived")
    assert "[3]" in derived["gappy_rois"]
    assert "[7]" in derived["straight_rois"]
    assert "13 labels for 12 traces" in derived["surplus_labels"]
    filtered = in_order("leifer2023", fixture, read("leifer2023", fixture, {"filter": True}))[1]
    assert filtered.sizes["roi"] == native.sizes["roi"] - 2
