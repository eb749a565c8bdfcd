"""Exports of samples of every kind of store, and what reads them again."""

import numpy as np

from allometry import stores
from allometry.export import FORMATS, export
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from tests.stores import samples


def exported(tmp_path, obj, to):
    stores.write(obj, tmp_path / "store.zarr")
    out = tmp_path / "out" / f"store{FORMATS[to].suffixes[0]}"
    return export(tmp_path / "store.zarr", to, out), out


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


def same_edges(obj, back, names):
    def edges(ds, named):
        labels = [named[label] for label in ds["node"].values.tolist()]
        rows = zip(*(ds[name].values.tolist() for name in ("source", "target", "synapse", "weight")))
        return {(labels[s], labels[t], synapse): weight for s, t, synapse, weight in rows}

    own = obj["node"].values.tolist()
    assert edges(back, names) == edges(obj, dict(zip(own, own)))
