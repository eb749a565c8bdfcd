"""Stack: several connectomes of one species as dense matrices on one axis."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from allometry.stores.schema import ANY_UNIT, Schema, Variable, require, text

_DIMS = ("annotation", "source", "target")


def check(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    """List what is wrong with the values of a stack."""
    found = []
    for axis in _DIMS:
        labels = root[axis].values
        if len(np.unique(labels)) < len(labels) or (labels == "").any():
            found.append(f"{axis}: a label is empty or not unique")
    if not np.array_equal(root["source"].values, root["target"].values):
        found.append("target: differs from source")
    matrices = [name for name in ("chemical", "electrical", "functional") if name in root]
    if not matrices:
        found.append("chemical, electrical, functional: none is there")
    seen = root["observed"].values
    unseen = ~(seen[:, :, None] & seen[:, None, :])
    for name in matrices:
        values = root[name].values
        if np.isinf(values).any():
            found.append(f"{name}: a value is infinite")
        if np.isfinite(values[unseen]).any():
            found.append(f"{name}: has values of neurons that the annotation does not list")
        if name != "functional" and (values < 0).any():
            found.append(f"{name}: an anatomical weight is negative")
    if "electrical" in root:
        values = root["electrical"].values
        if not np.array_equal(values, values.transpose(0, 2, 1), equal_nan=True):
            found.append("electrical: is not symmetric")
    return found


SCHEMA = Schema(
    kind="stack",
    doc="Connectomes on one axis as dense [annotation, source, target] matrices; NaN where nothing was measured.",
    variables={
        "annotation": Variable(("annotation",), "text", doc="name of the connectome store"),
        "source": Variable(("source",), "text", doc="canonical axis, presynaptic or stimulated"),
        "target": Variable(("target",), "text", doc="canonical axis, postsynaptic or responding"),
        "observed": Variable(("annotation", "source"), "bool", doc="whether the annotation lists the neuron"),
        "chemical": Variable(_DIMS, "float32", ANY_UNIT, optional=True, doc="0 where absent, NaN where not annotated"),
        "electrical": Variable(_DIMS, "float32", ANY_UNIT, optional=True, doc="symmetric; 0 absent, NaN not annotated"),
        "functional": Variable(_DIMS, "float32", ANY_UNIT, optional=True, doc="signed response; NaN where unmeasured"),
        "q": Variable(_DIMS, "float32", "1", optional=True, doc="false discovery rate of functional values"),
    },
    check=check,
)


def stack(
    matrices: Mapping[str, np.ndarray],
    observed: np.ndarray,
    annotations: Sequence[str],
    labels: Sequence[str],
    *,
    attrs: Mapping[str, Any],
    weight_units: str = "1",
) -> xr.Dataset:
    """Build a Stack.

    Parameters
    ----------
    matrices : mapping of str to (annotation, source, target) array
        `chemical`, `electrical`, `functional`, `q`; NaN where an annotation says nothing.
    observed : (annotation, node) bool
        Whether the annotation lists the neuron.
    annotations : sequence of str, (annotation,)
    labels : sequence of str, (node,)
        Common axis of sources and targets.
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived).
    weight_units : str
        Units of the matrices other than `q`.

    Returns
    -------
    Dataset with dimensions annotation, source and target.

    Raises
    ------
    StoreError
        Every violation of the schema.
    """
    dataset = xr.Dataset(
        {
            "observed": (("annotation", "source"), np.asarray(observed, bool)),
            **{
                name: (_DIMS, np.asarray(values, np.float32), {"units": "1" if name == "q" else weight_units})
                for name, values in matrices.items()
            },
        },
        coords={
            "annotation": ("annotation", text(annotations)),
            "source": ("source", text(labels)),
            "target": ("target", text(labels)),
        },
        attrs=SCHEMA.root_attrs(attrs),
    )
    require(dataset, SCHEMA)
    return dataset
