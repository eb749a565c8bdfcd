"""Readers on genuine files; oracle: facts of the sources, measured on the files by others (data/README.md)."""

import numpy as np
import pytest

from allometry import stores
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import dag2023, kato2015, lanza2024
from allometry.stores.summaries import activity


def read(module, folder, options=None, only=None):
    files = {path.name: path for path in sorted(folder.iterdir()) if only is None or only in path.name}
    source = Source(module.READER.name, "Caenorhabditis elegans", "c", "l", "real", dict.fromkeys(files, ""))
    return module.READER(files, source, options or {})


def natives(tree):
    return {name: tree[f"native/{name}"].to_dataset(inherit=False) for name in tree["recording"].values.tolist()}


def correlation(native, one, other):
    labels = native["label"].values.tolist()
    trace = native["trace"].values.astype(float)
    pair = trace[:, [labels.index(one), labels.index(other)]]
    pair = pair[np.isfinite(pair).all(axis=1)]
    return np.corrcoef(pair.T)[0, 1]


@pytest.fixture(scope="module")
def kato(mirror):
    return read(kato2015, mirror / "celegans_activity" / "kato2015")


@pytest.fixture(scope="module")
def dag(mirror):
    return read(dag2023, mirror / "celegans_activity" / "dag2023")


@pytest.fixture(scope="module")
def lanza(mirror):
    return read(lanza2024, mirror / "celegans_activity" / "lanza2024")


def test_kato_shapes_names_and_derived_rates(kato):
    assert stores.violations(kato) == []
    found = natives(kato)
    assert [native["trace"].shape for native in found.values()] == [(3137, 109), (3134, 135), (3059, 131), (3311, 125)]
    raw = [sum(label != "" for label in native["label_raw"].values) for native in found.values()]
    assert raw == [38, 44, 32, 47]
    np.testing.assert_allclose(kato["native_rate"].values, [2.905, 2.902, 2.832, 3.066], atol=5e-4)
    assert len(stores.attribute(kato, "derived")["time"]["recordings"]) == 4
    for native in found.values():
        assert "derived from a duration of 1080 s" in stores.attribute(native, "derived")["time"]
        assert np.isfinite(native["trace"].values).all()
        assert 0.925 < correlation(native, "AVAL", "AVAR") < 0.99


def test_kato_values_are_those_of_the_file(kato, mirror):
    with np.load(mirror / "celegans_activity" / "kato2015" / "raw_full_data_worm_2.npz") as content:
        np.testing.assert_array_equal(natives(kato)["WT_NoStim_2"]["trace"].values, content["arr_0"].astype(np.float32))


def test_kato_states_name_what_aval_does(kato):
    # AVA is active in reversals and silent in forward runs (Kato et al. 2015, Fig. 5): a wrong offset of the codes shows.
    for native in natives(kato).values():
        aval = native["trace"].values[:, native["label"].values.tolist().index("AVAL")]
        state = native["state"].values
        score = (aval - aval.mean()) / aval.std()
        assert (state[:15] == "").all()
        assert score[state == "revsus"].mean() > 0.8
        assert score[state == "fwd"].mean() < -0.8


def test_kato_dimensionality_of_the_derivative(kato):
    shares = [activity.derivative_pca(native["trace"].values).sum() for native in natives(kato).values()]
    np.testing.assert_allclose(shares, [0.700, 0.694, 0.651, 0.666], atol=5e-4)


def test_dag_shapes_labels_confidence_behaviour(dag):
    assert stores.violations(dag) == []
    found = natives(dag)
    assert list(found) == ["2022-07-26-31", "2022-07-26-38", "2022-07-27-31", "2022-07-27-38", "2022-07-27-45"]
    assert {native.sizes["time"] for native in found.values()} == {800}
    assert [native.sizes["roi"] for native in found.values()] == [146, 141, 145, 135, 140]
    labelled = [int((native["label_raw"].values != "").sum()) for native in found.values()]
    assert labelled == [100, 87, 104, 94, 109]
    sure = [int((native["label_confidence"].values >= 3).sum()) for native in found.values()]
    assert sure == [92, 78, 91, 86, 97]
    for native in found.values():
        assert 0.93 < correlation(native, "AVAL", "AVAR") < 0.99
        assert np.isfinite(native["trace"].values).all()
        assert {"velocity", "head_angle", "pumping", "reversal_vec"} <= set(native.data_vars)
        assert native["body_angle"].sizes["time"] == 800
        assert stores.attribute(native, "derived")["sampling"]["interval_s"] == pytest.approx(0.6, abs=2e-3)


def test_dag_ambiguous_labels_follow_the_policy(dag, mirror):
    native = natives(dag)["2022-07-27-31"]
    at = native["label_raw"].values.tolist().index("RMF?")
    assert native["label"].values[at] == ""
    assert native["label_candidates"].values[at] == "RMFL/RMFR"
    nearest = read(dag2023, mirror / "celegans_activity" / "dag2023", {"label_policy": "nearest"})
    label = natives(nearest)["2022-07-27-31"]["label"].values
    assert label[at] in ("RMFL", "RMFR")
    assert len(set(label[label != ""])) == (label != "").sum()


def test_dag_duplicate_labels_are_found(dag):
    derived = stores.attribute(natives(dag)["2022-07-27-38"], "derived")
    assert "URADL" in derived["duplicate_labels"]


def test_dag_canonical_view_agrees_with_the_native_traces(dag):
    # Resampling from 1.67 to 3 Hz must not move or distort a neuron: compare with plain interpolation.
    root = dag.to_dataset(inherit=False)
    native = natives(dag)["2022-07-26-31"]
    rows = root["recording_index"].values == 0
    aval = root["trace"].values[rows, root["neuron"].values.tolist().index("AVAL")]
    raw = native["trace"].values[:, native["label"].values.tolist().index("AVAL")]
    plain = np.interp(root["time"].values[rows], native["time"].values, raw)
    assert np.corrcoef(aval, plain)[0, 1] > 0.99


def test_lanza_positions_names_and_missing_rate(lanza):
    assert stores.violations(lanza) == []
    native = natives(lanza)["Dataset2"]
    assert native["trace"].shape == (1161, 118)
    raw = native["label_raw"].values
    assert int((raw != "").sum()) == 12
    assert correlation(native, "AVAL", "AVAR") == pytest.approx(0.80, abs=5e-3)
    assert correlation(native, "AVAL", "RIBL") == pytest.approx(-0.52, abs=5e-3)
    at = raw.tolist().index("RMED/RID")
    assert (native["label"].values[at], native["label_candidates"].values[at]) == ("", "RMED/RID")
    assert {"x", "y", "z"} <= set(native.data_vars)
    assert "no frame rate" in stores.attribute(native, "derived")["time"]
    assert np.isnan(native["trace"].values).any()


def test_lanza_takes_a_rate_from_the_options(mirror):
    tree = read(lanza2024, mirror / "celegans_activity" / "lanza2024", {"native_rate_hz": 5.0})
    assert tree["native_rate"].values[0] == pytest.approx(5.0)
    assert "given by the options" in stores.attribute(natives(tree)["Dataset2"], "derived")["time"]


def test_comparable_numbers(kato, dag, lanza):
    frame = activity.table({"kato2015": kato, "dag2023": dag, "lanza2024": lanza})
    assert frame.loc["kato2015", "recordings"] == 4
    assert frame.loc["kato2015", "hours"] == pytest.approx(4 * 1080 / 3600, rel=1e-3)
    assert frame.loc["dag2023", "rois"] == 146 + 141 + 145 + 135 + 140
    assert frame.loc["all", "recordings"] == 10
    assert frame.loc["lanza2024", "missing_fraction"] > 0
    seen = activity.coverage({"kato2015": kato, "dag2023": dag})
    assert seen.shape == (9, 302)
    assert seen["AVAL"].all()


def test_command_neurons_of_one_class_fluctuate_together(kato):
    names = kato["neuron"].values.tolist()
    columns = [names.index(name) for name in ("AVAL", "AVAR", "RIBL")]
    each = [activity.masked_correlation(part["trace"].values[:, columns])[0] for part in stores.split(kato).values()]
    same, opposite = np.nanmean([r[0, 1] for r in each]), np.nanmean([r[0, 2] for r in each])
    assert same > 0.9
    assert opposite < -0.4
