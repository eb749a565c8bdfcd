"""Tables: CSV and Parquet, read by pandas, pyarrow and our readers."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings

from allometry import stores
from tests.export.exports import exported, read, same_edges
from tests.stores import samples


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(obj=samples.connectomes())
def test_any_connectome_comes_back_from_csv(tmp_path_factory, obj):
    _, out = exported(tmp_path_factory.mktemp("any"), obj, "csv")
    edges = pd.read_csv(out, keep_default_na=False, na_values={"weight": [""]}, dtype={"source": str, "target": str})
    labels = obj["node"].values.astype(object)
    assert edges["source"].tolist() == labels[obj["source"].values].tolist()
    assert edges["target"].tolist() == labels[obj["target"].values].tolist()
    np.testing.assert_array_equal(edges["weight"].to_numpy(np.float32), obj["weight"].values)


def test_connectome_in_csv_is_read_by_the_reader_of_edges(made):
    found, out, obj = made("anatomical", "csv")
    nodes = out.with_name("store.node.csv")
    back = read(
        "generic_edges",
        "connectome",
        [out, nodes],
        file=out.name,
        nodes_file=nodes.name,
        nodes_label="node",
        nodes_columns={"type": "type", "x": "x"},
        units={"x": "m"},
        synapse_column="synapse",
    )
    same_edges(obj, back, dict(zip(back["node"].values.tolist(), back["node"].values.tolist())))
    by_label = dict(zip(back["node"].values.tolist(), back["type"].values.tolist()))
    assert by_label == dict(zip(obj["node"].values.tolist(), obj["type"].values.tolist()))
    described = json.loads(out.with_name("store.json").read_text())
    assert described["tables"]["store.node.csv"]["columns"]["x"]["units"] == obj["x"].attrs["units"] == "m"
    assert described["attributes"]["absent_means"] == stores.attribute(obj, "absent_means")
    assert found.left_out == ()


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_spikes_in_tables_are_read_by_the_reader_of_spikes(made, to):
    _, out, obj = made("recorded_spikes", to)
    units = out.with_name(f"store.unit{out.suffix}")
    back = read("generic_spikes", "spikes", [out, units], units_file=units.name, duration_s=3.0)
    trains = dict(zip(back["unit"].values.tolist(), stores.trains(back)))
    for label, train in zip(obj["unit"].values.tolist(), stores.trains(obj)):
        np.testing.assert_array_equal(trains.get(label, np.zeros(0)), train)


def test_simulated_spikes_in_tables_have_the_times_and_the_labels(made):
    _, out, obj = made("spikes", "csv")
    table = pd.read_csv(out)
    for label, train in zip(obj["unit"].values.tolist(), stores.trains(obj)):
        np.testing.assert_allclose(table["time"][table["unit"] == label], train, rtol=0, atol=1e-12)
    assert table["spike_step"].tolist() == obj["spike_step"].values.tolist()
    voltage = pd.read_csv(out.with_name("store.voltage.csv"))
    assert voltage["2"].tolist() == [-65.0, -65.0]


def test_traces_in_csv_are_read_by_the_reader_of_traces(made):
    _, out, obj = made("activity", "csv")
    back = read("generic", "activity", [out.with_name("store.native.worm_2.trace.csv")], rate_hz=2.0)
    (name,) = back["recording"].values.tolist()
    theirs, ours = back[f"native/{name}"], obj["native/worm_2"]
    np.testing.assert_array_equal(theirs["trace"].values, ours["trace"].values)
    np.testing.assert_array_equal(theirs["time"].values, ours["time"].values)
    assert theirs["label"].values.tolist() == ["AVAL", "roi_1", "AVAR", "roi_3"]
    table = pd.read_csv(out)
    assert table["recording"].value_counts().to_dict() == {"worm_1": 20, "worm_2": 30}
    np.testing.assert_array_equal(table["AVAR"].to_numpy(np.float32), obj["trace"].values[:, 1])


def test_parquet_has_the_units_in_its_columns(made):
    _, out, obj = made("responses", "parquet")
    table = pyarrow.parquet.read_table(out)
    assert table.num_rows == obj["response"].size
    assert table.schema.field("lag").metadata[b"units"] == b"s"
    frame = table.to_pandas().set_index(["unit", "presentation", "lag"])["response"]
    for place in np.ndindex(obj["response"].shape):
        key = tuple(obj[dim].values[at] for dim, at in zip(obj["response"].dims, place))
        assert frame[key] == obj["response"].values[place]
    units = pyarrow.parquet.read_table(out.with_name("store.unit.parquet"))
    assert units.schema.field("depth").metadata[b"units"] == b"m"
    assert units["unit"].to_pylist() == [17, 4]


def test_scores_in_csv_have_a_row_per_comparison_and_a_table_per_curve(made):
    _, out, obj = made("scores", "csv")
    rows = pd.read_csv(out)
    assert rows["measure"].tolist() == ["auc", "auc"]
    assert rows["score"].tolist() == obj["score"].values.tolist()
    curve = pd.read_csv(out.with_name("store.curves.roc.fpr.csv"))
    assert curve["tpr"].tolist() == obj["curves/roc/tpr"].values.tolist()
