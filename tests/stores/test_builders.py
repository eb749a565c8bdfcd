"""Builders order, complete and refuse what readers hand them."""

import numpy as np
import pandas as pd
import pytest

from allometry import stores
from allometry.errors import StoreError

from . import samples

NODES = pd.DataFrame(index=["A", "B", "C"])


def edges(*rows):
    return pd.DataFrame(rows, columns=["source", "target", "weight", "synapse"])


def build(*rows, **options):
    return stores.connectome(NODES, edges(*rows), attrs=samples.ATTRS, **options)


def listed(ds):
    labels = ds["node"].values
    rows = zip(labels[ds["source"].values], labels[ds["target"].values], ds["weight"].values, ds["synapse"].values)
    return [tuple(row) for row in rows]


def test_edges_are_sorted_by_synapse_source_target():
    ds = build(
        ("C", "A", 1, "chemical"), ("A", "B", 2, "functional"), ("A", "C", 3, "chemical"), ("A", "B", 4, "chemical")
    )
    assert listed(ds) == [
        ("A", "B", 4, "chemical"),
        ("A", "C", 3, "chemical"),
        ("C", "A", 1, "chemical"),
        ("A", "B", 2, "functional"),
    ]
    assert stores.attribute(ds, "absent_means") == {"chemical": "zero", "functional": "unmeasured"}


def test_node_order_is_kept_and_decides_the_edge_order():
    ds = stores.connectome(
        pd.DataFrame(index=["B", "A"]), edges(("A", "B", 1, "chemical"), ("B", "A", 2, "chemical")), attrs=samples.ATTRS
    )
    assert ds["node"].values.tolist() == ["B", "A"]
    assert listed(ds) == [("B", "A", 2, "chemical"), ("A", "B", 1, "chemical")]


def test_electrical_edges_listed_once_are_stored_both_ways():
    ds = build(("B", "A", 3, "electrical"), ("C", "C", 1, "electrical"))
    assert listed(ds) == [("A", "B", 3, "electrical"), ("B", "A", 3, "electrical"), ("C", "C", 1, "electrical")]
    assert "weight_forward" not in ds


def test_electrical_edges_that_differ_become_their_mean_and_keep_both():
    ds = build(("B", "A", 3, "electrical"), ("A", "B", 6, "electrical"), ("A", "C", 2, "electrical"))
    assert listed(ds)[:2] == [("A", "B", 4.5, "electrical"), ("A", "C", 2, "electrical")]
    assert ds["weight_forward"].values[:3].tolist()[::2] == [6, 3]
    assert ds["weight_backward"].values[:3].tolist()[::2] == [3, 6]
    assert np.isnan(ds["weight_forward"].values[[1, 3]]).all()


def test_further_columns_follow_their_edges():
    table = edges(("B", "A", -1, "functional"), ("A", "B", 2, "functional")).assign(q=[1e-60, 0.5], note=["x", None])
    ds = stores.connectome(NODES, table, attrs=samples.ATTRS)
    assert ds["q"].values.tolist() == [0.5, 1e-60]
    assert ds["note"].values.tolist() == ["", "x"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("A", "Z", 1, "chemical"), "edge target 'Z' is not in the node table"),
        (("Z", "A", 1, "chemical"), "edge source 'Z' is not in the node table"),
        (("A", "B", np.nan, "chemical"), "NaN or infinite weight: A -> B"),
        (("A", "B", np.inf, "functional"), "NaN or infinite weight: A -> B"),
        (("A", "B", -2, "chemical"), "negative weight of an anatomical edge: A -> B (chemical, weight -2"),
        (("A", "B", -2, "electrical"), "negative weight"),
        (("B", "C", 1, "chemical"), "edge listed more than once: B -> C"),
        (("A", "B", 1, "telepathic"), "['telepathic'] are not among"),
    ],
)
def test_bad_edges_are_refused_with_their_names(row, words):
    with pytest.raises(StoreError) as error:
        build(("B", "C", 5, "chemical"), row)
    assert words in str(error.value)


def test_negative_functional_weights_are_data():
    assert listed(build(("A", "B", -2, "functional"))) == [("A", "B", -2, "functional")]


def test_other_refusals_of_connectomes():
    with pytest.raises(StoreError, match="lacks \\['synapse', 'weight'\\]"):
        stores.connectome(NODES, pd.DataFrame({"source": ["A"], "target": ["B"]}), attrs=samples.ATTRS)
    with pytest.raises(StoreError, match="label 'A' is not unique"):
        stores.connectome(pd.DataFrame(index=["A", "A"]), edges(), attrs=samples.ATTRS)
    with pytest.raises(StoreError, match="position x has no units"):
        stores.connectome(NODES.assign(x=1.0), edges(), attrs=samples.ATTRS)
    with pytest.raises(StoreError, match="attribute licence: is missing"):
        stores.connectome(NODES, edges(), attrs={k: v for k, v in samples.ATTRS.items() if k != "licence"})


def test_a_connectome_of_many_edges_is_built_in_seconds():
    import time

    count, size = 300_000, 20_000
    rng = np.random.default_rng(0)
    pairs = rng.choice(size * size, count + 1000, replace=True)
    pairs = np.unique(pairs)[:count]
    nodes = pd.DataFrame(index=[f"n{i:06d}" for i in range(size)])
    labels = np.array(nodes.index)
    table = pd.DataFrame({"source": labels[pairs // size], "target": labels[pairs % size], "weight": 1.0})
    table = table.assign(synapse="chemical").sample(frac=1, random_state=0)
    start = time.process_time()
    ds = stores.connectome(nodes, table, attrs=samples.ATTRS)
    assert time.process_time() - start < 10
    assert np.array_equal(ds["source"].values.astype(np.int64) * size + ds["target"].values, pairs)
    assert stores.to_csr(ds)[1].sum() == count


def test_activity_follows_cf_contiguous_ragged_arrays():
    root = samples.activity().to_dataset(inherit=False)
    assert root["row_size"].values.tolist() == [20, 30]
    assert root["row_size"].attrs["sample_dimension"] == "sample"
    assert root["recording_index"].values.tolist() == [0] * 20 + [1] * 30
    assert root["time"].values[[0, 1, 19, 20, 21]].tolist() == [0, 0.5, 9.5, 0, 0.5]
    assert root["recorded"].values.tolist() == [[True, True, False]] * 2
    assert root["native_rate"].values.tolist() == [4, 4]
    assert root["age_days"].values.tolist() == [1, 1]
    assert root["moving"].dtype == bool
    # what one recording lacks is missing there, not invented
    assert np.isnan(root["velocity"].values[:20]).all()
    assert (root["velocity"].values[20:] == 1).all()
    assert root.groupby("recording_index").mean()["trace"].shape == (2, 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"resampled": np.zeros((5, 2))}, "resampled trace has shape (5, 2)"),
        ({"trace": np.zeros((3, 4))}, "trace has shape (3, 4)"),
        ({"label": ["AVAL", "nobody", "", ""]}, "['nobody'] are not on the canonical axis"),
        ({"time": np.zeros(40)}, "time: does not increase"),
        ({"name": "a/b"}, "cannot name a group"),
        ({"extra": {"speed": ("time", np.zeros(7))}}, "speed has shape (7,)"),
        ({"extra": {"speed": ("sample", np.zeros(20))}}, "speed has dimension sample"),
        ({"resampled_extra": {"speed": ("sample", np.zeros(7))}}, "speed has dimensions"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_bad_recordings_are_refused(change, words):
    good, bad = samples.recording("worm_1", 0), samples.recording("worm_2", 0)
    good.resampled_extra = {"speed": ("sample", np.zeros(20))}
    for name, value in change.items():
        setattr(bad, name, value)
    with pytest.raises(StoreError) as error:
        stores.activity([good, bad], ["AVAL", "AVAR", "RIBL"], 2.0, attrs=samples.ATTRS)
    assert words in str(error.value)


def test_repeats_are_counted_within_conditions():
    ds = samples.responses()
    assert ds["repeat"].values.tolist() == [0, 0, 1, 1, 2]
    assert ds["depth"].attrs["units"] == "m"


def test_bad_responses_are_refused():
    units, table = pd.DataFrame(index=[0]), pd.DataFrame({"stimulus": ["a"], "condition": ["b"]})
    with pytest.raises(StoreError, match="response has shape"):
        stores.responses(np.zeros((2, 1)), table, units, attrs=samples.ATTRS)
    with pytest.raises(StoreError, match="lacks \\['condition'\\]"):
        stores.responses(np.zeros((1, 1)), table[["stimulus"]], units, attrs=samples.ATTRS)


def test_simulated_spikes_are_sorted():
    units = pd.DataFrame({"population": ["E", "I"]})
    ds = stores.spikes_simulated([5, 1, 1], [0, 1, 0], dt_ms=0.1, units=units, duration_ms=1, attrs=samples.ATTRS)
    assert ds["spike_step"].values.tolist() == [1, 1, 5]
    assert ds["spike_unit"].values.tolist() == [0, 1, 0]
    with pytest.raises(StoreError, match="listed twice"):
        stores.spikes_simulated([1, 1], [0, 0], dt_ms=0.1, units=units, duration_ms=1, attrs=samples.ATTRS)
    with pytest.raises(StoreError, match="lacks population"):
        stores.spikes_simulated([1], [0], dt_ms=0.1, units=units[[]], duration_ms=1, attrs=samples.ATTRS)


def test_scores_fill_what_is_not_given():
    root = samples.scores().to_dataset(inherit=False)
    assert root["group"].values.tolist() == ["", "wt"]
    assert np.isnan(root["ceiled"].values).all()
    assert root["pairs"].values[1] == 100
    with pytest.raises(StoreError, match="rows lack \\['candidate', 'score'\\]"):
        stores.scores([{"measure": "a"}], attrs=samples.ATTRS)
    curve = {"a": samples.xr.Dataset({"y": ("comparison", np.zeros(3))})}
    with pytest.raises(StoreError, match="curve has 3 comparisons"):
        stores.scores([{"measure": "a", "candidate": "b", "score": 1}], curve, attrs=samples.ATTRS)


def test_a_weight_below_one_is_a_weight_and_spikes_of_one_time_are_in_order():
    assert build(("A", "B", 0.25, "chemical"))["weight"].values.tolist() == [0.25]
    units = pd.DataFrame({"population": ["p", "p"]})
    times = np.array([0.5, 0.5, 0.7, 0.1])
    built = stores.spikes_recorded(times, np.array([3, 1]), units=units, observed=[[0.0, 1.0]], attrs=samples.ATTRS)
    assert built["spike_time"].values.tolist() == times.tolist()
    with pytest.raises(StoreError, match="not sorted within a unit"):
        stores.spikes_recorded(
            times[::-1].copy(), np.array([1, 3]), units=units, observed=[[0.0, 1.0]], attrs=samples.ATTRS
        )
