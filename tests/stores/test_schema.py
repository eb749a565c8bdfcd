"""Every single departure from a schema is named."""

import numpy as np
import pytest
import xarray as xr

from allometry import stores
from allometry.errors import StoreError
from allometry.stores.schema import ANY_UNIT, ROOT_ATTRS, text

from . import samples


def root_of(obj):
    return obj.to_dataset(inherit=False) if isinstance(obj, xr.DataTree) else obj


def with_root(obj, root):
    if isinstance(obj, xr.Dataset):
        return root
    groups = {node.path: node.to_dataset(inherit=False) for node in obj.subtree if node.parent}
    return xr.DataTree.from_dict({"/": root, **groups})


def with_group(obj, path, change):
    groups = {node.path.strip("/"): node.to_dataset(inherit=False) for node in obj.subtree}
    groups[path] = change(groups[path])
    return xr.DataTree.from_dict({f"/{name}": group for name, group in groups.items()})


def alone(obj, words):
    """Assert that there is exactly one violation, which names what is wrong."""
    found = stores.violations(obj)
    assert len(found) == 1, found
    assert words in found[0]
    with pytest.raises(StoreError, match="1 violation") as error:
        stores.validate(obj)
    assert found[0] in str(error.value)


@pytest.mark.parametrize("kind", samples.KINDS)
def test_samples_are_valid(kind):
    assert stores.violations(samples.sample(kind)) == []


@pytest.mark.parametrize("kind", samples.KINDS)
def test_each_missing_attribute_is_named(kind):
    obj = samples.sample(kind)
    for key in [*ROOT_ATTRS, *stores.schema_of(obj).attrs, "schema_version"]:
        root = root_of(obj).copy()
        del root.attrs[key]
        alone(with_root(obj, root), f"attribute {key}: ")


@pytest.mark.parametrize("kind", samples.KINDS)
def test_each_wrong_attribute_is_named(kind):
    obj = samples.sample(kind)
    for key in [*ROOT_ATTRS, *stores.schema_of(obj).attrs]:
        alone(with_root(obj, root_of(obj).assign_attrs({key: ["a list"]})), f"attribute {key}: is a list")
    alone(with_root(obj, root_of(obj).assign_attrs(title="")), "title: is empty")
    alone(with_root(obj, root_of(obj).assign_attrs(extra=float("nan"))), "JSON")
    alone(with_root(obj, root_of(obj).assign_attrs(extra={"a": {1: 2}})), "not a string")
    alone(with_root(obj, root_of(obj).assign_attrs(extra=object())), "JSON")
    alone(with_root(obj, root_of(obj).assign_attrs(coordinates="a b")), "coordinates: is reserved")
    alone(with_root(obj, root_of(obj).assign_attrs(schema_version=99)), "schema_version")


@pytest.mark.parametrize("kind", samples.KINDS)
def test_each_missing_variable_is_named(kind):
    obj = samples.sample(kind)
    for name, spec in stores.schema_of(obj).variables.items():
        root = root_of(obj)
        if name in root.variables and not spec.optional:
            alone(with_root(obj, root.drop_vars(name)), f"{name}: is missing")


@pytest.mark.parametrize("kind", samples.KINDS)
def test_each_wrong_dtype_dimension_and_unit_is_named(kind):
    obj = samples.sample(kind)
    for name, spec in stores.schema_of(obj).variables.items():
        root = root_of(obj)
        if name not in root.variables:
            continue
        variable = root[name].variable
        if spec.dtype not in ("number", "label"):
            other = np.zeros(variable.shape, np.int8)
            changed = root.drop_vars(name).assign({name: (variable.dims, other, variable.attrs)})
            alone(with_root(obj, changed), f"{name}: dtype is int8")
        if name not in root.dims:
            renamed = xr.Variable(tuple(f"{dim}_2" for dim in variable.dims), variable.values, variable.attrs)
            alone(with_root(obj, root.drop_vars(name).assign({name: renamed})), f"{name}: dimensions are")
        if spec.units is not None:
            attrs = {key: value for key, value in variable.attrs.items() if key != "units"}
            changed = root.copy()
            changed[name].attrs = attrs
            alone(with_root(obj, changed), f"{name}: {'has no units' if spec.units == ANY_UNIT else 'units are None'}")


@pytest.mark.parametrize("kind", samples.KINDS)
def test_what_xarray_would_change_on_opening_is_refused(kind):
    """Each of these was seen to come back as something else from a plain open."""
    obj = samples.sample(kind)
    value = np.zeros(2)
    for extra, words in (
        (("own", value, {"units": "seconds"}), "timedelta"),
        (("own", value, {"_FillValue": 0.0}), "_FillValue"),
        (("own", value, {"scale_factor": 2.0}), "scale_factor"),
        (("own", value.astype("datetime64[s]"), {}), "datetime64"),
        (("own", value.astype(complex), {}), "complex128"),
        (("own", np.array(["a", "b"]), {}), "<U1"),
        (("own", np.array(["a", 1], object), {}), "object"),
    ):
        alone(with_root(obj, root_of(obj).assign(extra=extra)), words)
    alone(with_root(obj, root_of(obj).assign({"two words": ("own", value)})), "no space")
    alone(with_root(obj, root_of(obj).assign({7: ("own", value)})), "name must have")


def test_groups_are_checked():
    tree = samples.activity()
    alone(with_group(tree, "native/worm_1", lambda group: group.drop_vars("label")), "/native/worm_1/label: is missing")
    groups = {f"/{node.path.strip('/')}": node.to_dataset(inherit=False) for node in tree.subtree}
    alone(xr.DataTree.from_dict({**groups, "/other/a": xr.Dataset({"a": 1})}), "/other/a: a Activity store has no such")
    alone(
        xr.DataTree.from_dict({k: g for k, g in groups.items() if k != "/native/worm_2"}), "/native/worm_2: is missing"
    )
    more = {**groups, "/native/worm_3": groups["/native/worm_1"]}
    alone(xr.DataTree.from_dict(more), "/native/worm_3: is not among the recordings")


def test_an_object_without_schema_is_refused(tmp_path):
    with pytest.raises(StoreError, match="attribute schema"):
        stores.write(xr.Dataset({"a": ("x", [1])}), tmp_path / "a.zarr")
    assert list(tmp_path.iterdir()) == []


def altered(name, index, value):
    def change(root):
        root = root.copy(deep=True)
        values = root[name].values.copy()
        values[index] = value
        replaced = (root[name].dims, values, root[name].attrs)
        return root.assign_coords({name: replaced}) if name in root.coords else root.assign({name: replaced})

    return change


def with_attr(**attrs):
    return lambda root: root.assign_attrs(attrs)


def array_attr(name, **attrs):
    def change(root):
        root = root.copy()
        root[name].attrs = {**root[name].attrs, **attrs}
        return root

    return change


VALUES = [
    ("connectome", altered("weight", 0, np.nan), "NaN or infinite, first AVAL -> b (chemical)"),
    ("connectome", altered("weight", 0, np.inf), "NaN or infinite"),
    ("connectome", altered("weight", 0, -1), "1 anatomical weights are negative, first AVAL -> b (chemical)"),
    ("connectome", altered("source", 0, 3), "source: holds an index outside 0..2"),
    ("connectome", altered("target", 0, -1), "target: holds an index outside 0..2"),
    ("connectome", altered("node", 1, "AVAL"), "label 'AVAL' is not unique"),
    ("connectome", altered("node", 1, ""), "a label is empty"),
    ("connectome", altered("synapse", 0, "imaginary"), "['imaginary'] are not among"),
    ("connectome", altered("weight", 2, 9), "differ from the opposite direction, first AVAL -> b (electrical)"),
    ("connectome", lambda root: root.isel(edge=[0, 1, 2, 5, 6]), "lack the opposite direction"),
    ("connectome", lambda root: root.isel(edge=[0, 0, 1, 2, 3, 4, 5, 6]), "listed more than once, first AVAL -> b"),
    ("connectome", lambda root: root.isel(edge=slice(None, None, -1)), "not sorted"),
    ("connectome", with_attr(absent_means={"chemical": "zero", "electrical": "zero"}), "functional is None"),
    ("activity", altered("neuron", 1, "AVAL"), "neuron: a label is empty or not unique"),
    ("activity", altered("row_size", 0, 19), "row_size: does not agree"),
    ("activity", altered("recording_index", 0, 1), "row_size: does not agree"),
    ("activity", array_attr("row_size", sample_dimension="time"), "sample_dimension"),
    ("activity", altered("time", 3, 0.0), "time: does not increase"),
    ("activity", altered("time", 3, np.nan), "time: does not increase"),
    ("activity", altered("recorded", (0, 0), False), "AVAL has values in worm_1, where it is not recorded"),
    ("activity", altered("trace", (0, 0), np.inf), "infinite"),
    ("activity", altered("native_rate", 0, 0.0), "native_rate"),
    ("activity", with_attr(rate_hz=-1.0), "rate_hz: is not positive"),
    ("responses", altered("unit", 0, 4), "unit: a label is not unique"),
    ("responses", altered("repeat", 3, 0), "condition '0' has repeat 0 twice"),
    ("responses", altered("lag", 2, 0.05), "lag: does not increase"),
    ("responses", altered("response", (0, 0, 0), np.inf), "infinite"),
    ("responses", lambda root: root.drop_vars("lag"), "lag: is missing"),
    ("scores", altered("candidate", 0, ""), "candidate: is empty"),
    ("scores", altered("ci_low", 0, 0.8), "ci_low: is above ci_high"),
    ("scores", altered("p", 0, 1.5), "p: outside"),
    ("scores", altered("score", 0, np.inf), "infinite"),
    ("scores", lambda root: root.isel(comparison=[0, 0]), "listed more than once"),
    ("spikes", altered("spike_unit", 0, 3), "spike_unit: holds an index outside"),
    ("spikes", altered("spike_step", 3, 11), "spike_step: holds a step outside"),
    ("spikes", altered("spike_step", 1, 0), "not sorted by (step, unit)"),
    ("spikes", altered("spike_unit", 1, 0), "listed twice"),
    ("spikes", with_attr(order="place"), "attribute order"),
    ("spikes", with_attr(dt_ms=0.0), "dt_ms"),
    ("spikes", lambda root: root.drop_vars("spike_step"), "spike_step: is missing"),
    ("spikes", lambda root: root.drop_vars("step"), "step: is missing"),
    ("spikes", lambda root: root.drop_vars("probe"), "probe: is missing"),
    ("spikes", lambda root: root.drop_vars("bin"), "bin: is missing"),
    ("spikes", altered("unit", 0, 1), "unit: a label is not unique"),
    ("recorded_spikes", altered("spike_time", 1, 0.05), "spike_time: not sorted within a unit"),
    ("recorded_spikes", altered("spike_time", 1, np.nan), "spike_time: holds NaN"),
    ("recorded_spikes", altered("row_size", 1, 1), "sums to 4, but there are 3"),
    ("recorded_spikes", altered("observed", (1, 0), 0.5), "observed"),
    ("recorded_spikes", array_attr("row_size", sample_dimension=""), "sample_dimension"),
    ("recorded_spikes", lambda root: root.drop_vars("row_size"), "row_size: is missing"),
]


@pytest.mark.parametrize(("kind", "change", "words"), VALUES, ids=[f"{kind}-{words[:30]}" for kind, _, words in VALUES])
def test_each_wrong_value_is_named(kind, change, words):
    obj = samples.sample(kind)
    found = stores.violations(with_root(obj, change(root_of(obj))))
    assert any(words in line for line in found), found


def test_native_values_are_checked():
    tree = samples.activity()
    wrong = with_group(tree, "native/worm_1", altered("label", 0, "XYZ"))
    assert stores.violations(wrong) == ["/native/worm_1/label: ['XYZ'] are not on the canonical axis (1 such labels)"]
    wrong = with_group(tree, "native/worm_1", altered("trace", (0, 0), np.inf))
    assert "/native/worm_1/trace: holds infinite" in stores.violations(wrong)[0]
    wrong = with_group(tree, "native/worm_1", altered("time", 3, 0.0))
    assert stores.violations(wrong) == ["/native/worm_1/time: does not increase"]


def test_text_turns_missing_into_empty():
    assert text(["a", None, np.nan, float("nan"), 3]).tolist() == ["a", "", "", "", "3"]
