"""Adult fly mushroom body, right side, FlyWire v783: an .npz in CSR form (edges of at least 5 synapses).

Layout of `mb_fafb783.npz`: `indptr`, `indices`, `syn_count` (CSR by presynaptic neuron), per neuron `root_id`, `cell_class`,
`cell_type`, `cell_sub_class`, `glomerulus`, `side`, `nt`, `sign`; index lists `pn_idx`, `kc_idx`, `apl_idx`, `mbon_idx`,
`dan_idx`; the edges from dopaminergic neurons apart, in `dan_pre`, `dan_post`, `dan_syn_count`. The array `data` repeats
`syn_count` with the sign of the neuron.
"""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes.edges import check_weights, stored, sum_duplicates
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import flag
from allometry.homogenize.reader import Reader, Source, named_file

_FILE = "mb_fafb783.npz"
_GROUPS = {"pn_idx": "PN", "kc_idx": "KC", "apl_idx": "APL", "mbon_idx": "MBON", "dan_idx": "DAN"}
_TEXT = ("cell_class", "cell_type", "cell_sub_class", "glomerulus", "side", "nt")


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read the network."""
    path = named_file(files, _FILE, source.name)
    arrays = _load(path)
    nodes = _nodes(arrays, path)
    pre, post = _csr(arrays, len(nodes), path)
    edges = _edges(nodes, pre, post, arrays["syn_count"], "chemical", path)
    dopamine = _edges(nodes, arrays["dan_pre"], arrays["dan_post"], arrays["dan_syn_count"], "monoaminergic", path)
    if options["dopamine"]:
        edges = pd.concat([edges, dopamine])
    edges, summed = sum_duplicates(edges)
    signed = arrays["data"] if "data" in arrays and arrays["data"].shape == arrays["syn_count"].shape else None
    derived: dict[str, Any] = {
        "weight": "synapse count; the sign of the transmitter is in the node variable `sign`",
        "threshold": "pairs with fewer than 5 synapses are not in the file",
        "dopamine": f"{len(dopamine)} edges from dopaminergic neurons "
        + ("are stored as monoaminergic" if options["dopamine"] else "are left out by option"),
        "stored": stored(edges),
        **summed,
    }
    if signed is not None:
        own = nodes["sign"].to_numpy(float)[pre] * arrays["syn_count"]
        derived["signed_copy_differs"] = int(np.count_nonzero(signed != own))
    return stores.connectome(
        nodes,
        edges,
        attrs=source.attrs(
            "Mushroom body of the adult fly, right side, FlyWire v783",
            {"dopamine": options["dopamine"]},
            derived,
            {path.name: path},
        ),
    )


def _load(path: Path) -> dict[str, np.ndarray]:
    needed = {
        "indptr",
        "indices",
        "syn_count",
        "root_id",
        "sign",
        "dan_pre",
        "dan_post",
        "dan_syn_count",
        *_TEXT,
        *_GROUPS,
    }
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = needed - set(archive.files)
            if missing:
                raise ReaderError(
                    f"arrays are missing: {', '.join(sorted(missing))}",
                    where=path.name,
                    expected=", ".join(sorted(needed)),
                )
            arrays = {name: archive[name] for name in (*sorted(needed), *({"data"} & set(archive.files)))}
    except ReaderError:
        raise
    except (
        OSError,
        ValueError,
        EOFError,
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
    ) as error:
        raise ReaderError(
            f"archive cannot be read ({error})",
            where=str(path),
            expected="a complete .npz without pickled objects",
            do="delete the file and retrieve it again",
        ) from error
    for name, values in arrays.items():
        kind = "U" if name in _TEXT else "iuf"
        if values.ndim != 1 or values.dtype.kind not in kind:
            raise ReaderError(
                f"array {name} is {values.ndim}-dimensional of type {values.dtype}",
                where=path.name,
                expected="one dimension of " + ("text" if name in _TEXT else "numbers"),
            )
    return arrays


def _nodes(arrays: dict[str, np.ndarray], path: Path) -> pd.DataFrame:
    count = len(arrays["root_id"])
    for name in (*_TEXT, "sign"):
        if len(arrays[name]) != count:
            raise ReaderError(f"{name} has {len(arrays[name])} entries for {count} neurons", where=path.name)
    kind = np.full(count, "", object)
    for name, group in _GROUPS.items():
        index = _index(arrays[name], count, name, path)
        if (kind[index] != "").any():
            raise ReaderError(
                f"a neuron of {name} is in another group too", where=path.name, expected="one group per neuron"
            )
        kind[index] = group
    if (kind == "").any():
        raise ReaderError(
            f"{(kind == '').sum()} neurons are in no group", where=path.name, expected="one group per neuron"
        )
    ids = arrays["root_id"]
    if ids.dtype.kind not in "iu":
        raise ReaderError(f"root_id is of type {ids.dtype}", where=path.name, expected="whole numbers of 64 bits")
    labels = ids.astype(np.uint64).astype(str)
    if len(np.unique(labels)) < count:
        raise ReaderError("a root_id occurs twice", where=path.name, expected="unique ids")
    if not np.isin(arrays["sign"], (-1, 0, 1)).all():
        raise ReaderError("a sign is not -1, 0 or 1", where=path.name, expected="-1, 0 or 1")
    return pd.DataFrame(
        {
            "type": kind,
            "class_": arrays["cell_type"].astype(object),
            "neurotransmitter": arrays["nt"].astype(object),
            "sign": arrays["sign"].astype(float),
            "cell_class": arrays["cell_class"].astype(object),
            "cell_sub_class": arrays["cell_sub_class"].astype(object),
            "glomerulus": arrays["glomerulus"].astype(object),
            "side": arrays["side"].astype(object),
        },
        index=pd.Index(labels, name="label"),
    )


def _index(values: np.ndarray, count: int, name: str, path: Path) -> np.ndarray:
    if (values != np.round(values)).any() or (values < 0).any() or (values >= count).any():
        raise ReaderError(
            f"{name} points outside the neurons", where=path.name, expected=f"whole numbers 0 to {count - 1}"
        )
    return values.astype(np.int64)


def _csr(arrays: dict[str, np.ndarray], count: int, path: Path) -> tuple[np.ndarray, np.ndarray]:
    indptr, indices = arrays["indptr"], arrays["indices"]
    steps = np.diff(indptr.astype(np.float64))
    fits = len(indptr) == count + 1 and indptr[0] == 0 and (steps >= 0).all() and (steps == np.round(steps)).all()
    if not fits or indptr[-1] != len(indices) or len(indices) != len(arrays["syn_count"]):
        raise ReaderError(
            "indptr, indices and syn_count do not fit together",
            where=path.name,
            expected=f"CSR rows of {count} neurons",
        )
    return np.repeat(np.arange(count), steps.astype(np.int64)), _index(indices, count, "indices", path)


def _edges(
    nodes: pd.DataFrame, pre: np.ndarray, post: np.ndarray, weight: np.ndarray, synapse: str, path: Path
) -> pd.DataFrame:
    if not len(pre) == len(post) == len(weight):
        raise ReaderError(f"{synapse} edges have ends and weights of different number", where=path.name)
    labels = nodes.index.to_numpy(object)
    count = len(labels)
    edges = pd.DataFrame(
        {
            "source": labels[_index(pre, count, f"{synapse} sources", path)],
            "target": labels[_index(post, count, f"{synapse} targets", path)],
            "weight": weight.astype(float),
            "synapse": synapse,
        }
    )
    check_weights(edges, path.name)
    return edges


_FLY = "Drosophila melanogaster"


def recognise(files: Files) -> list[Finding]:
    """An .npz in CSR form with the arrays of the mushroom body."""
    what = "adult fly mushroom body in the layout of mb_fafb783.npz (FlyWire v783)"
    own = files.holding("indptr", "indices", "syn_count", "dan_pre", *_TEXT, *_GROUPS, form="npz")
    return [finding for path in own for finding in one_store(what, {_FILE: path}, "connectome", species=_FLY)]


OPTIONS = {"dopamine": flag(True, "Keep the edges from dopaminergic neurons, as monoaminergic ones.")}
READER = Reader("flywire_mb", ("connectome",), read, OPTIONS, recognise=recognise)
