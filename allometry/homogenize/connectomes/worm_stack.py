"""All worm connectomes on the canonical 302-neuron axis as one dense store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.worm.neurons import NEURONS

_KINDS = ("chemical", "electrical", "functional")


def stack_worm(
    connectomes: Mapping[str, Path | str],
    out: Path | str,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Stack Connectome stores and write the result.

    Parameters
    ----------
    connectomes : mapping of str to path
        Store name to store; their order is the order of the annotations.
    out : path
        The stacked store.
    provenance : mapping, optional
        For the manifest.
    overwrite : bool
        Whether a store that is there may be replaced.
    """
    stores.require_free(out, overwrite=overwrite)
    opened = {}
    for name, path in connectomes.items():
        dataset = stores.open(path)
        if not isinstance(dataset, xr.Dataset) or dataset.attrs.get("schema") != "Connectome":
            raise ReaderError("store is no connectome", where=str(path), expected="a store of schema Connectome")
        opened[name] = dataset
    stores.write(stacked(opened), Path(out), overwrite=overwrite, provenance=dict(provenance or {}))


def stacked(connectomes: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Dense matrices [annotation, source, target] of Connectomes on the 302 neurons.

    A pair is NaN where the annotation does not list both neurons, or where an absent edge means unmeasured; other
    absent edges are 0. Nodes that are no neuron of the axis (muscles, glia, AWCON) are left out, and counted in
    `derived`.

    Parameters
    ----------
    connectomes : mapping of str to Dataset
        Annotation name to Connectome of C. elegans.

    Returns
    -------
    xarray.Dataset
        Store of schema Stack.
    """
    if not connectomes:
        raise ReaderError("no connectome to stack", where="homogenize.worm_stack", expected="at least one store")
    size = len(NEURONS)
    shape = (len(connectomes), size, size)
    matrices: dict[str, np.ndarray] = {}
    observed = np.zeros((len(connectomes), size), bool)
    derived: dict[str, Any] = {}
    for number, (name, dataset) in enumerate(connectomes.items()):
        place = _axis(dataset, name)
        listed = place[place >= 0]
        observed[number, listed] = True
        derived[name] = {"nodes_on_axis": len(listed), "nodes_left_out": int((place < 0).sum())}
        kinds = [kind for kind in stores.attribute(dataset, "absent_means") if kind in _KINDS]
        for kind in kinds:
            variables = {kind: "weight"} | ({"q": "q"} if kind == "functional" and "q" in dataset else {})
            for target, variable in variables.items():
                matrix = matrices.setdefault(target, np.full(shape, np.nan, np.float32))
                derived[name][f"{target}_edges_left_out"] = _fill(matrix[number], dataset, kind, variable, place)
    if not matrices:
        raise ReaderError(
            "nothing to stack", where=", ".join(connectomes), expected=f"edges of kind {', '.join(_KINDS)}"
        )
    return stores.stack(matrices, observed, list(connectomes), NEURONS, attrs=_attrs(connectomes, derived))


def _axis(dataset: xr.Dataset, name: str) -> np.ndarray:
    """Place of each node on the canonical axis, -1 where it is none of the 302 neurons."""
    index = {label: i for i, label in enumerate(NEURONS)}
    place = np.array([index.get(str(label), -1) for label in dataset["node"].values], np.int64)
    if (place < 0).all():
        raise ReaderError(
            "store has no neuron of the canonical axis", where=name, expected="a connectome of C. elegans"
        )
    return place


def _fill(matrix: np.ndarray, dataset: xr.Dataset, kind: str, variable: str, place: np.ndarray) -> int:
    """Put the edges of one kind into an empty [source, target] matrix; return how many had an end off the axis."""
    chosen = dataset["synapse"].values == kind
    source, target = place[dataset["source"].values[chosen]], place[dataset["target"].values[chosen]]
    on_axis = (source >= 0) & (target >= 0)
    listed = place[place >= 0]
    matrix[np.ix_(listed, listed)] = 0.0 if stores.attribute(dataset, "absent_means")[kind] == "zero" else np.nan
    matrix[source[on_axis], target[on_axis]] = dataset[variable].values[chosen][on_axis]
    return int((~on_axis).sum())


def _attrs(connectomes: Mapping[str, xr.Dataset], derived: Mapping[str, Any]) -> dict[str, Any]:
    attrs = [dataset.attrs for dataset in connectomes.values()]
    return {
        "title": f"{len(connectomes)} connectomes of C. elegans on the 302-neuron axis",
        "species": " / ".join(dict.fromkeys(a["species"] for a in attrs)),
        "citation": "; ".join(dict.fromkeys(a["citation"] for a in attrs)),
        "licence": "; ".join(dict.fromkeys(a["licence"] for a in attrs)),
        "source": {f: sha for c in connectomes.values() for f, sha in stores.attribute(c, "source").items()},
        "parameters": {"annotations": list(connectomes)},
        "derived": {
            "values": "0: both neurons are listed and not connected; NaN: a neuron is not listed, or the pair was not "
            "measured",
            **derived,
        },
    }
