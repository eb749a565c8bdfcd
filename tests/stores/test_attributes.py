"""Attributes pass through every format that xarray writes, and come back as they were given."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from allometry import stores
from allometry.errors import StoreError
from allometry.stores import attributes
from allometry.stores.kinds import KINDS
from allometry.stores.storage import manifest, migrations

from . import samples

NESTED = {
    "none": None,
    "flag": True,
    "list": [1, [2, {"deep": False}]],
    "empty": {},
    "number": 0.1,
    "text": "[not JSON",
    "long": "x" * 70_000,  # HDF5 holds at most 64 KiB of an attribute beside its object
}


def plain_open(path, engine):
    """Open as a user without Allometry would."""
    opened = xr.open_datatree(path, engine=engine)
    return opened if opened.children else opened.to_dataset()


@pytest.mark.parametrize("kind", samples.KINDS)
def test_every_store_goes_to_netcdf_and_back(kind, tmp_path):
    obj = samples.sample(kind)
    stores.set_attributes(obj, derived=NESTED, more=[True, None], truth=False, nothing=None)
    written = stores.write(obj, tmp_path / "a.zarr")
    for number, some in enumerate((obj, stores.open(written), plain_open(written, "zarr"))):
        some.to_netcdf(tmp_path / f"{number}.nc", engine="h5netcdf")
        back = plain_open(tmp_path / f"{number}.nc", "h5netcdf")
        back.load()
        if isinstance(obj, xr.DataTree):
            xr.testing.assert_identical(back, obj)
        else:
            xr.testing.assert_identical(back.drop_encoding(), obj)
        assert stores.attribute(back, "derived") == NESTED
        assert stores.attribute(back, "more") == [True, None]
        assert stores.attribute(back, "truth") is False
        assert stores.attribute(back, "nothing") is None


@pytest.mark.parametrize("kind", samples.KINDS)
def test_no_attribute_of_any_group_or_variable_is_more_than_text_or_a_number(kind):
    obj = samples.sample(kind)
    for node in (obj if isinstance(obj, xr.DataTree) else xr.DataTree(obj)).subtree:
        for attrs in (node.attrs, *(variable.attrs for variable in node.variables.values())):
            assert all(type(value) in (str, int, float) for value in attrs.values()), attrs


@given(st.dictionaries(samples.TEXT, samples.JSON.filter(lambda value: not isinstance(value, str)), max_size=3))
def test_what_is_encoded_is_decoded(given):
    once = attributes.encoded(given)
    assert attributes.encoded(once) == once
    assert {key: value for key, value in attributes.decoded(once).items() if key not in attributes.PROSE} == {
        key: value for key, value in given.items() if key not in attributes.PROSE
    }


def test_prose_and_other_text_stay_text():
    ds = xr.Dataset(
        attrs={"title": "[1]", "units": "null", "note": "{broken", "n": np.float32(0.5), "text": "true story"}
    )
    assert [stores.attribute(ds, str(key)) for key in ds.attrs] == ["[1]", "null", "{broken", 0.5, "true story"]
    assert stores.attribute(ds, "absent", {}) == {}
    with pytest.raises(StoreError, match="no attribute 'absent'"):
        stores.attribute(ds, "absent")


def test_what_json_cannot_hold_is_still_named():
    with pytest.raises(StoreError, match=r"attribute\.derived\.x: is nan"):
        samples.stores.connectome(
            samples.pd.DataFrame(index=["a"]),
            samples.pd.DataFrame({"source": ["a"], "target": ["a"], "weight": [1], "synapse": ["chemical"]}),
            attrs={**samples.ATTRS, "derived": {"x": float("nan")}},
        )
    obj = samples.connectome()
    obj.attrs["derived"] = '{"x": NaN}'
    assert "attribute.derived: is nan" in "".join(stores.violations(obj)).replace(".x", "")
    obj.attrs["derived"] = "[]"
    assert stores.violations(obj) == ["attribute derived: is a list, expected dict"]


def as_version_1(path):
    """Put the mappings back into the metadata, as version 1 wrote them, and describe the store anew."""
    for file in path.rglob("zarr.json"):
        metadata = json.loads(file.read_bytes())
        groups = [metadata, *metadata.get("consolidated_metadata", {}).get("metadata", {}).values()]
        for group in groups:
            group["attributes"] = attributes.decoded(group.get("attributes", {}))
            if "schema_version" in group["attributes"]:
                group["attributes"]["schema_version"] = 1
        file.write_bytes(attributes.sorted_json(metadata))
    described = manifest.describe(path, {}, 0.0)
    manifest.manifest_path(path).write_bytes(manifest.dump(described))


@pytest.mark.parametrize("kind", samples.KINDS)
def test_a_store_of_version_1_is_opened_as_one_of_today(kind, tmp_path):
    obj = samples.sample(kind)
    if kind == "connectome":
        obj.attrs["species"] = "Mus musculus"  # see below for worms
    new, old = (stores.write(obj, tmp_path / f"{name}.zarr") for name in ("new", "old"))
    as_version_1(old)
    assert xr.open_zarr(old).attrs["source"] == samples.ATTRS["source"]
    opened = stores.open(old, check="full")
    assert stores.violations(opened) == []
    xr.testing.assert_identical(opened.load(), stores.open(new).load())
    assert stores.attribute(opened, "source") == samples.ATTRS["source"]
    assert stores.diff(new, old) == [
        "the values are the same, the files are not (other chunks, compression or library version)"
    ]


def test_a_connectome_of_a_worm_whose_unknown_signs_are_positive_is_refused_in_one_sentence(tmp_path):
    path = stores.write(samples.connectome(), tmp_path / "a.zarr")
    as_version_1(path)
    with pytest.raises(StoreError, match="version 1, which is older than the rule that the sign of a neuron is 0"):
        stores.open(path)
    unsigned = stores.write(samples.connectome().drop_vars("sign"), tmp_path / "b.zarr")
    as_version_1(unsigned)
    assert stores.violations(stores.open(unsigned)) == []


@pytest.mark.parametrize("version", [0, -1, True, "1", None, 1.0, 99])
def test_a_version_that_never_was_is_not_known(tmp_path, version):
    path = stores.write(samples.connectome(), tmp_path / "a.zarr")
    metadata = json.loads((path / "zarr.json").read_bytes())
    metadata["attributes"]["schema_version"] = version
    (path / "zarr.json").write_bytes(attributes.sorted_json(metadata))
    with pytest.raises(StoreError, match="is not known here"):
        stores.open(path, check="none")


def test_a_version_whose_meaning_changed_is_refused_in_one_sentence(tmp_path, monkeypatch):
    path = stores.write(samples.connectome(), tmp_path / "a.zarr")
    monkeypatch.setitem(KINDS["connectome"].__dict__, "version", 3)
    with pytest.raises(StoreError, match="version 2, is not known here"):
        stores.open(path)
    monkeypatch.setitem(migrations.STEPS, ("connectome", 2), "without the sign of its neurons")
    with pytest.raises(StoreError, match="version 2, which is without the sign of its neurons"):
        stores.open(path)


def test_scores_without_verdicts_are_opened_with_empty_ones(tmp_path):
    tree = samples.sample("scores")
    root = tree.to_dataset().drop_vars(["difference", "difference_low", "difference_high"])
    count = root.sizes["comparison"]
    root["verdict"] = ("comparison", samples.stores.schema.text(["beyond seed-to-seed"] * count))
    root["baseline"] = ("comparison", np.full(count, 0.1))
    root.attrs["schema_version"] = 2
    old = migrations.migrated(xr.DataTree.from_dict({"/": root}), KINDS["scores"], 2, "old")
    assert stores.violations(old) == []
    assert old["beside_seeds"].values.tolist() == ["beyond seed-to-seed"] * count
    assert old["expected"].values.tolist() == [0.1] * count
    assert old["verdict"].values.tolist() == [""] * count
    assert np.isnan(old["difference"].values).all()


def test_numbers_of_numpy_become_numbers():
    assert attributes.plain({"a": np.float32(0.5), "b": (np.int64(3), np.bool_(True))}) == {"a": 0.5, "b": [3, True]}
