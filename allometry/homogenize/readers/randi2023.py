"""Randi et al. 2023: the signal propagation atlas, a functional connectome measured by optogenetic stimulation.

Layout: HDF5 `funatlas.h5` with `neuron_ids` (300 names of at most 5 characters) and per strain (`wt`, `unc31`) the
matrices `dFF` (mean response), `q` (false discovery rate of a response), `q_eq` (of no response) and `occ1` (number of
observations), all [response, stimulus]. A pair is stored where it has a `q`; its weight is NaN where dF/F is missing. The two AWC neurons are told apart by their odour receptor (AWCON, AWCOFF), not
by side.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats.hdf5 import dataset, numeric, open_hdf5, subgroup
from allometry.homogenize.look import Files, Finding
from allometry.homogenize.options import choice, text
from allometry.homogenize.reader import Reader, Source, named_file
from allometry.homogenize.worm.neurons import NEURONS, SIGN_CONVENTION, canonical_names, worm_nodes

_STRAINS = {"wt": "wild type", "unc31": "unc-31 (no dense-core vesicle release)"}
_ON_OFF = {"AWCON": "AWCR", "AWCOFF": "AWCL"}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one strain."""
    strain, awc = options["strain"], options["awc"]
    path = named_file(files, options["file"], source.name, (".h5", ".hdf5"))
    with open_hdf5(path) as file:
        ids = dataset(file, "neuron_ids", 1)
        group = subgroup(file, strain)
        shape = (len(ids), len(ids))
        dff, q, q_equivalence, occurrences = (numeric(group, name, shape) for name in ("dFF", "q", "q_eq", "occ1"))
    labels = canonical_names([_text(name, path) for name in ids], path.name)
    if len(set(labels)) < len(labels):
        twice = next(name for name in labels if labels.count(name) > 1)
        raise ReaderError(
            f"neuron {twice!r} occurs twice", where=f"{path.name}, neuron_ids", expected="each neuron once"
        )
    if awc == "wormneuroatlas":
        labels = [_ON_OFF.get(name, name) for name in labels]
    _check_ranges(q, occurrences, path)
    measured = np.isfinite(q)
    dff = np.where(np.isfinite(dff), dff, np.nan)
    response, stimulus = np.nonzero(measured)
    if not len(response):
        raise ReaderError("no pair has been measured", where=f"{path.name}, {strain}", expected="finite values of q")
    names = np.asarray(labels, object)
    edges = pd.DataFrame(
        {
            "source": names[stimulus],
            "target": names[response],
            "weight": dff[measured],
            "synapse": "functional",
            "q": q[measured],
            "q_equivalence": q_equivalence[measured],
            "occurrences": occurrences[measured].astype(np.int32),
        }
    )
    derived = {**_record(q, dff, occurrences, labels), "sign": SIGN_CONVENTION}
    if strain != "wt":
        del derived["published_count"]
    if awc == "keep":
        derived["awc"] = "AWCON and AWCOFF are kept: which of AWCL and AWCR is which differs between animals"
    else:
        derived["awc"] = "AWCOFF is called AWCL and AWCON AWCR, the convention of the wormneuroatlas package"
    return stores.connectome(
        worm_nodes(labels),
        edges,
        attrs=source.attrs(
            f"Signal propagation atlas of C. elegans, {_STRAINS[strain]}, Randi et al. 2023",
            {"strain": strain, "awc": awc},
            derived,
            {path.name: path},
        ),
        absent_means={"functional": "unmeasured"},
    )


def _text(name: Any, path: Path) -> str:
    if isinstance(name, bytes):
        return name.decode("utf-8", "replace")
    if isinstance(name, str):
        return name
    raise ReaderError(f"neuron_ids holds {name!r}", where=path.name, expected="names")


def _check_ranges(q: np.ndarray, occurrences: np.ndarray, path: Path) -> None:
    if np.isinf(q).any() or (q < 0).any() or (q > 1).any():
        raise ReaderError(
            "a value of q is outside 0..1", where=path.name, expected="false discovery rates, NaN if unmeasured"
        )
    if not ((occurrences >= 0) & (occurrences < 2**31) & (occurrences == np.round(occurrences))).all():
        raise ReaderError("occ1 is not a count", where=path.name, expected="whole numbers >= 0")
    if (occurrences[np.isfinite(q)] == 0).any():
        raise ReaderError(
            "a pair has a q but was never observed", where=path.name, expected="occ1 > 0 where q is given"
        )


def _record(q: np.ndarray, dff: np.ndarray, occurrences: np.ndarray, labels: list[str]) -> dict[str, Any]:
    """What the file holds, and what it does not."""
    has_q = np.isfinite(q)
    without = has_q & ~np.isfinite(dff)
    diagonal = np.eye(len(q), dtype=bool)
    record: dict[str, Any] = {
        "orientation": "matrices of the file are [response, stimulus]; source is the stimulated neuron",
        "weight": "mean dF/F of the response",
        "pairs_with_q": int(has_q.sum()),
        "pairs_with_q_below_0.05": int((has_q & (q < 0.05)).sum()),
        "pairs_with_q_below_0.05_off_diagonal": int((has_q & (q < 0.05) & ~diagonal).sum()),
        "published_count": "the paper counts 23,433 wild-type pairs: those with a q among the 188 neurons of the head "
        "ganglia, pharynx and retrovesicular ganglion, the neuron itself included; the other 642 pairs of the file have "
        "the tail, midbody or ventral cord at one end and none of them has q < 0.05 (1,310 is the count of both)",
        "stimulated": int(has_q.any(axis=0).sum()),
        "responding": int(has_q.any(axis=1).sum()),
        "observed": {
            "pairs": int((occurrences > 0).sum()),
            "stimulated": int((occurrences > 0).any(axis=0).sum()),
            "responding": int((occurrences > 0).any(axis=1).sum()),
        },
        "observed_without_q": int(((occurrences > 0) & ~has_q).sum()),
        "observed_without_q_note": "observed pairs for which the source gives no q: they count as unmeasured",
        "self_pairs": "the diagonal is the response of the stimulated neuron itself; it is stored",
        "not_on_canonical_axis": sorted(set(labels) - set(NEURONS)),
        "missing_from_source": sorted(set(NEURONS) - set(labels)),
    }
    if without.any():
        # The q is a measurement of its own: a significant pair without a size is still a significant pair.
        record["without_response"] = {
            f"{labels[s]} -> {labels[r]}": f"weight NaN: no dF/F (q = {q[r, s]:.3g}, {int(occurrences[r, s])} observation(s))"
            for r, s in np.argwhere(without)
        }
    return record


def recognise(files: Files) -> list[Finding]:
    """An HDF5 file with the matrices of at least one strain."""
    found = []
    for path in files.holding("neuron_ids", form="hdf5"):
        peek = files.peek(path)
        strains = [
            strain for strain in _STRAINS if peek.has(*(f"{strain}/{name}" for name in ("dFF", "q", "q_eq", "occ1")))
        ]
        if strains:
            stores = {strain: ("connectome", {"strain": strain}) for strain in strains}
            facts = (f"{peek.arrays['neuron_ids'].shape[0]} neurons, strains {', '.join(strains)}",)
            what = "signal propagation atlas of C. elegans in the layout of Randi et al. 2023"
            found.append(Finding(what, {path.name: path}, stores, facts=facts, species="Caenorhabditis elegans"))
    return found


OPTIONS = {
    "strain": choice("wt", tuple(_STRAINS), "Strain: wild type or unc-31."),
    "awc": choice("keep", ("keep", "wormneuroatlas"), "Names of AWCOFF and AWCON: as they are, or AWCL and AWCR."),
    "file": text(None, "Name of the file to read, where the source has several."),
}
READER = Reader("randi2023", ("connectome",), read, OPTIONS, recognise=recognise)
