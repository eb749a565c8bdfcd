"""Exports read again, by the formats' own libraries and by our readers; oracle: the store that was exported."""

import json
import sys

import h5py
import igraph
import libsonata
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow.parquet
import pynwb
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings

from allometry import cli, stores
from allometry.errors import ExportError, StoreError
from allometry.export import FORMATS, export
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from allometry.stores.schema import parts
from tests.stores import samples

HELD = [(kind, to) for kind in samples.KINDS for to in FORMATS if kind.removeprefix("recorded_") in FORMATS[to].kinds]


def exported(tmp_path, obj, to):
    stores.write(obj, tmp_path / "store.zarr")
    out = tmp_path / "out" / f"store{FORMATS[to].suffixes[0]}"
    return export(tmp_path / "store.zarr", to, out), out


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What an export of a sample gave, its file, and the sample; each is made once."""
    found = {}

    def make(kind, to):
        if (kind, to) not in found:
            obj = anatomical() if kind == "anatomical" else samples.sample(kind)
            found[kind, to] = (*exported(tmp_path_factory.mktemp(f"{kind}_{to}"), obj, to), obj)
        return found[kind, to]

    return make


def anatomical():
    """The connectome without functional edges, whose signs a table of several kinds cannot have in our reader."""
    obj = samples.connectome()
    return obj.isel(edge=np.flatnonzero(obj["synapse"].values != "functional"))


def read(reader, kind, files, **options):
    found = READERS[reader](
        {path.name: path for path in files},
        Source("mine", "Mus musculus", files={path.name: "0" * 64 for path in files}),
        options,
        kind,
    )
    assert stores.violations(found) == []
    return found


def same(ours, theirs):
    """Variables with equal values, dtypes of the same kind, and equal attributes."""
    assert set(map(str, ours.variables)) == set(map(str, theirs.variables))
    for name in ours.variables:
        a, b = ours[name], theirs[name]
        assert a.dims == b.dims, name
        if a.dtype.kind in "biuf":
            assert a.dtype == b.dtype, name
            np.testing.assert_array_equal(a.values, b.values, err_msg=str(name))
        else:
            assert a.values.astype(object).tolist() == b.values.astype(object).tolist(), name
        assert dict(a.attrs) == dict(b.attrs), name
    assert dict(ours.attrs) == dict(theirs.attrs)


@pytest.mark.parametrize(("kind", "to"), HELD)
def test_every_kind_goes_out_in_every_format_that_says_it_holds_it(made, kind, to):
    found, out, _ = made(kind, to)
    assert found.files[0] == out
    assert sorted(path.name for path in out.parent.iterdir()) == sorted(path.name for path in found.files)
    assert found.holds
    assert all(isinstance(count, int) for count in found.holds.values())


@pytest.mark.parametrize("kind", samples.KINDS)
def test_netcdf_holds_all_of_a_store(made, kind):
    found, out, obj = made(kind, "netcdf")
    assert found.left_out == ()
    root, groups = parts(obj)
    with xr.open_datatree(out, engine="h5netcdf") as tree:
        same(root, tree.to_dataset(inherit=False).load())
        for path, group in groups.items():
            same(group, tree[path].to_dataset(inherit=False).load())


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
    _same_edges(obj, back, dict(zip(back["node"].values.tolist(), back["node"].values.tolist())))
    by_label = dict(zip(back["node"].values.tolist(), back["type"].values.tolist()))
    assert by_label == dict(zip(obj["node"].values.tolist(), obj["type"].values.tolist()))
    described = json.loads(out.with_name("store.json").read_text())
    assert described["tables"]["store.node.csv"]["columns"]["x"]["units"] == obj["x"].attrs["units"] == "m"
    assert described["attributes"]["absent_means"] == stores.attribute(obj, "absent_means")
    assert found.left_out == ()


def _same_edges(obj, back, names):
    def edges(ds, named):
        labels = [named[label] for label in ds["node"].values.tolist()]
        rows = zip(*(ds[name].values.tolist() for name in ("source", "target", "synapse", "weight")))
        return {(labels[s], labels[t], synapse): weight for s, t, synapse, weight in rows}

    own = obj["node"].values.tolist()
    assert edges(back, names) == edges(obj, dict(zip(own, own)))


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


def test_graphml_is_read_by_networkx_igraph_and_our_reader(made):
    found, out, obj = made("anatomical", "graphml")
    assert found.holds == {"nodes": 3, "edges": 6}
    graph = nx.read_graphml(out, force_multigraph=True)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (3, 6)
    expected = stores.to_networkx(obj)
    assert set(graph.nodes) == set(expected.nodes)
    assert sorted((s, t, d["synapse"], d["weight"]) for s, t, d in graph.edges(data=True)) == sorted(
        (s, t, kind, d["weight"]) for s, t, kind, d in expected.edges(keys=True, data=True)
    )
    assert graph.nodes["é"]["type"] == "muscle"
    assert "x" not in graph.nodes["b"], "NaN is an attribute that is not there"
    assert json.loads(graph.graph["units"])["x"] == "m"
    other = igraph.Graph.Read_GraphML(str(out))
    assert (other.vcount(), other.ecount()) == (3, 6)
    assert sorted(other.es["weight"]) == sorted(obj["weight"].values.tolist())
    back = read("generic_edges", "connectome", [out], synapse_column="synapse", nodes_columns={"type": "type"})
    _same_edges(obj, back, {label: label for label in back["node"].values.tolist()})


def test_what_graphml_cannot_hold_is_said(tmp_path):
    obj = samples.connectome()
    obj["null"] = (("edge", "rewiring"), np.zeros((7, 2), np.float32), {"units": "mV"})
    found, _ = exported(tmp_path, obj, "graphml")
    assert found.left_out == ("null (7 edge x 2 rewiring)",)
    obj = samples.connectome()
    obj["type"] = ("node", np.array(["a\x01b", "", ""], np.dtypes.StringDType()))
    with pytest.raises(ExportError, match=r"a character that XML cannot hold[\s\S]*csv"):
        exported(tmp_path / "other", obj, "graphml")
    assert list((tmp_path / "other" / "out").iterdir()) == []


def test_sonata_circuit_is_read_by_libsonata_and_our_reader(made):
    found, out, obj = made("anatomical", "sonata")
    assert found.holds == {"nodes": 3, "edges": 6, "kinds of edges": 2}
    nodes = libsonata.NodeStorage(str(out)).open_population("store")
    assert nodes.size == 3
    everyone = libsonata.Selection([(0, 3)])
    assert nodes.get_attribute("label", everyone).tolist() == ["AVAL", "b", "é"]
    np.testing.assert_array_equal(nodes.get_attribute("x", everyone), [1.0, np.nan, 3.0])
    edges = libsonata.EdgeStorage(str(out))
    assert edges.population_names == {"chemical", "electrical"}
    electrical = edges.open_population("electrical")
    synapse, source, target = (obj[name].values for name in ("synapse", "source", "target"))
    for node in range(3):
        mine = electrical.efferent_edges([node])
        assert sorted(electrical.target_nodes(mine)) == sorted(target[(synapse == "electrical") & (source == node)])
        mine = electrical.afferent_edges([node])
        assert sorted(electrical.source_nodes(mine)) == sorted(source[(synapse == "electrical") & (target == node)])
    weights = electrical.get_attribute("weight", electrical.select_all())
    assert weights.tolist() == obj["weight"].values[synapse == "electrical"].tolist()
    config = libsonata.CircuitConfig.from_file(str(out.with_name("store.circuit_config.json")))
    assert config.node_populations == {"store"}
    with h5py.File(out) as file:
        assert file["nodes/store/0/x"].attrs["units"] == "m"
    back = read(
        "generic_edges",
        "connectome",
        [out],
        nodes_file=out.name,
        nodes_label="id",
        nodes_columns={"name": "label"},
        synapse_column="synapse",
    )
    _same_edges(obj, back, dict(zip(back["node"].values.tolist(), back["name"].values.tolist())))


def test_sonata_spikes_are_read_by_libsonata_and_our_reader(made):
    found, out, obj = made("spikes", "sonata")
    assert found.holds == {"spikes": 4, "units": 3, "populations": 2}
    assert [line.partition(" ")[0] for line in found.left_out] == ["count", "voltage"]
    reader = libsonata.SpikeReader(str(out))
    assert set(reader.get_population_names()) == {"E", "I"}
    assert reader["E"].get() == [(0, 0.1), (1, 0.5), (0, 0.9)]
    assert reader["I"].get() == [(0, 0.1)]
    back = read("sonata_spikes", "spikes", [out], duration_s=0.001)
    theirs = dict(zip(back["unit"].values.tolist(), stores.trains(back)))
    for label, train in zip(["E:0", "E:1", "I:0"], stores.trains(obj)):
        np.testing.assert_allclose(theirs[label], train, rtol=0, atol=1e-12)


def test_gaps_between_observed_times_are_said_to_be_left_out_of_sonata(made):
    found, *_ = made("recorded_spikes", "sonata")
    assert found.left_out == (
        "observed (2 interval x 2 bound): SONATA takes spikes to be observed from 0 on without a gap",
    )


@pytest.mark.parametrize("kind", ["activity", "responses", "spikes", "recorded_spikes"])
def test_nwb_is_valid(made, kind):
    found, *_ = made(kind, "nwb")
    for path in (path for path in found.files if path.suffix == ".nwb"):
        assert pynwb.validate(path=path) == []


@pytest.mark.parametrize("kind", ["spikes", "recorded_spikes"])
def test_units_in_nwb_are_read_by_pynwb_and_our_reader(made, kind):
    found, out, obj = made(kind, "nwb")
    assert found.holds == {"spikes": sum(map(len, stores.trains(obj))), "units": 3}
    with pynwb.NWBHDF5IO(out, "r") as io:
        file = io.read()
        for row, train in enumerate(stores.trains(obj)):
            np.testing.assert_array_equal(file.units["spike_times"][row], train)
            np.testing.assert_array_equal(file.units["obs_intervals"][row], obj["observed"].values)
        assert list(file.units["label"][:]) == [str(label) for label in obj["unit"].values.tolist()]
        assert list(file.units["population"][:]) == obj["population"].values.tolist()
        assert file.subject.species == "Caenorhabditis elegans"
        notes = json.loads(file.notes)
        assert notes["attributes"]["parameters"] == stores.attribute(obj, "parameters")
        if kind == "spikes":
            assert file.acquisition["voltage"].unit == "mV"
            np.testing.assert_array_equal(file.acquisition["voltage"].data[:], obj["voltage"].values)
        else:
            assert notes["units_of_columns"] == {"depth": "m"}
    back = read("nwb", "spikes", [out])
    for theirs, ours in zip(stores.trains(back), stores.trains(obj)):
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(back["observed"].values, obj["observed"].values)


def test_recordings_in_nwb_are_read_by_pynwb_and_our_reader(made):
    found, out, obj = made("activity", "nwb")
    assert [path.name for path in found.files] == ["store.nwb", "store.worm_2.nwb"]
    assert found.holds == {"recordings": 2, "ROIs": 8, "samples": 100}
    assert all("common rate" in line or "velocity" in line for line in found.left_out)
    with pynwb.NWBHDF5IO(out, "r") as io:
        file = io.read()
        assert file.processing["behavior"]["velocity"].unit == "m/s"
        np.testing.assert_array_equal(
            file.processing["ophys"]["ImageSegmentation"]["rois"]["position"][:], obj["native/worm_1/position"].values
        )
        assert json.loads(file.notes)["metadata"]["temperature"] == 20.5
    back = read("nwb", "activity", found.files, rate_hz=2.0)
    assert back.sizes["recording"] == 2
    for theirs, name in zip(back["recording"].values.tolist(), ["worm_1", "worm_2"]):
        native, ours = back[f"native/{theirs}"], obj[f"native/{name}"]
        np.testing.assert_array_equal(native["trace"].values, ours["trace"].values)
        np.testing.assert_array_equal(native["time"].values, ours["time"].values)
        assert native["label"].values.tolist() == ours["label"].values.tolist()
        assert "x" not in native or np.isnan(native["x"].values).all(), "masks are not known"


def test_responses_in_nwb_keep_presentations_and_values(made):
    found, out, obj = made("responses", "nwb")
    assert found.left_out == ()
    with pynwb.NWBHDF5IO(out, "r") as io:
        file = io.read()
        table = file.intervals["presentations"]
        assert list(table["condition"][:]) == obj["condition"].values.tolist()
        assert list(table["start_time"][:]) == obj["onset"].values.tolist()
        series = file.processing["responses"]["response"]
        np.testing.assert_array_equal(series.data[:], obj["response"].transpose("presentation", "unit", "lag").values)
        assert list(file.processing["responses"]["units"]["unit"][:]) == [17, 4]
        assert list(file.processing["responses"]["lags"]["lag"][:]) == [0.0, 0.1, 0.2]


def test_responses_without_times_have_no_place_in_nwb(tmp_path):
    with pytest.raises(ExportError, match=r"no time of onset[\s\S]*5 of 5 are missing[\s\S]*netcdf"):
        exported(tmp_path, samples.responses().drop_vars("onset"), "nwb")


@pytest.mark.parametrize(
    ("to", "out", "said"),
    [
        ("graphml", "a.graphml", "graphml cannot hold a store of kind spikes"),
        ("nbw", "a.nwb", "perhaps 'nwb' is meant"),
        ("nwb", "a.h5", "a.nwb"),
    ],
)
def test_what_cannot_be_exported_is_one_message(tmp_path, capsys, to, out, said):
    stores.write(samples.spikes(), tmp_path / "s.zarr")
    command = ["export", str(tmp_path / "s.zarr"), "--to", to, "--out", str(tmp_path / out)]
    assert cli.main(command) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / out).exists()


def test_no_file_is_written_over(tmp_path, capsys):
    stores.write(samples.spikes(), tmp_path / "s.zarr")
    (tmp_path / "s.unit.csv").write_text("mine")
    command = ["export", str(tmp_path / "s.zarr"), "--to", "csv", "--out", str(tmp_path / "s.csv")]
    assert cli.main(command) == 1
    assert f"{tmp_path / 's.unit.csv'}" in capsys.readouterr().err
    assert (tmp_path / "s.unit.csv").read_text() == "mine"
    assert not (tmp_path / "s.csv").exists()
    (tmp_path / "s.unit.csv").unlink()
    assert cli.main(command) == 0
    assert f"{tmp_path / 's.csv'}: 4 rows in 3 columns" in capsys.readouterr().out


def test_pynapple_gets_trains_support_and_columns():
    obj = samples.recorded_spikes()
    group = stores.to_pynapple(obj)
    assert [len(group[number]) for number in range(3)] == [2, 0, 1]
    for number, train in enumerate(stores.trains(obj)):
        np.testing.assert_array_equal(group[number].t, train)
    assert group.time_support.values.tolist() == obj["observed"].values.tolist()
    assert list(group["population"]) == obj["population"].values.tolist()
    assert list(group["unit"]) == ["a", "b", "c"]


def test_pynapple_gets_recordings_by_name():
    obj = samples.activity()
    frames = stores.to_pynapple(obj)
    assert sorted(frames) == ["worm_1", "worm_2"]
    np.testing.assert_array_equal(frames["worm_2"].values, obj["native/worm_2/trace"].values)
    np.testing.assert_array_equal(frames["worm_2"].t, obj["native/worm_2/time"].values)
    assert list(frames["worm_2"]["label"]) == obj["native/worm_2/label"].values.tolist()
    with pytest.raises(StoreError, match="kind Connectome"):
        stores.to_pynapple(samples.connectome())


def test_without_pynapple_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynapple", None)
    with pytest.raises(StoreError, match=r"pip install 'allometry\[pynapple\]'"):
        stores.to_pynapple(samples.spikes())
