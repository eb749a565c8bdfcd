"""Scaling: how the statistics of a model change with its size, by scheme of reduction, seed and condition."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.kinds.scores import as_stored
from allometry.stores.schema import Schema, Variable, require, text

AXES = ("size", "scheme", "seed", "condition", "statistic", "population")
OVER_SEEDS = tuple(axis for axis in AXES if axis != "seed")
JOB = ("size", "scheme")
VERDICTS = ("", "preserved", "changed", "undetermined", "reference")
CALIBRATIONS = ("", "converged", "not converged")


def check(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    """List what is wrong with the values of a scaling store."""
    found = []
    for axis in AXES:
        values = root[axis].values.tolist()
        if len(set(values)) != len(values):
            found.append(f"{axis}: a value is listed more than once")
    sizes = root["size"].values
    if not (np.isfinite(sizes).all() and (sizes > 0).all()):
        found.append("size: a size is not positive")
    elif float(root.attrs["reference"]) not in sizes:
        found.append(f"attribute reference: {root.attrs['reference']:g} is none of the sizes")
    for name, allowed in (("verdict", VERDICTS), ("calibration", CALIBRATIONS)):
        unknown = sorted(set(root[name].values.ravel().tolist()) - set(allowed))
        if unknown:
            found.append(f"{name}: {unknown[0]!r} is none of {', '.join(allowed[1:])}")
    for low, high in (("ci_low", "ci_high"), ("deviation_low", "deviation_high")):
        if (root[low].values > root[high].values).any():
            found.append(f"{low}: is above {high}")
    if any(np.isinf(root[name].values).any() for name in ("value", "mean", "deviation")):
        found.append("a number is infinite (missing is NaN)")
    return found


def _over_seeds(doc: str) -> Variable:
    return Variable(OVER_SEEDS, "float64", doc=doc)


SCHEMA = Schema(
    kind="scaling",
    doc="Statistics of one model at several sizes; `/tables/{name}` holds what belongs to them: `laws` (how deviations grow "
    "with size), `mean_field` (what theory says), `inputs` (number of synapses, and mean and "
    "variance of the input at unchanged rates), `calibrations`, `explanations`; of networks in space `correlation_course`, "
    "`correlation_theory` and `exponents`. What the simulations cost is in "
    "`NAME.costs.json` beside the store: it is another each time, and no part of the content.",
    variables={
        "size": Variable(("size",), "float64", doc="as the model takes it; 1 is the model as published"),
        "scheme": Variable(("scheme",), "text", doc="how the model was reduced"),
        "seed": Variable(("seed",), "int64", doc="seed of the simulation"),
        "condition": Variable(
            ("condition",), "text", doc="what was changed of the network; `all` of all conditions together"
        ),
        "statistic": Variable(("statistic",), "text", doc="name of the statistic"),
        "population": Variable(("population",), "text", doc="population of the model; `all` of all together"),
        "unit": Variable(("statistic",), "text", doc="unit of the statistic"),
        "neurons": Variable(JOB, "int64", doc="number of neurons"),
        "synapses": Variable(JOB, "float64", doc="expected number of synapses"),
        "calibration": Variable(JOB, "text", doc="converged or not converged; empty where nothing is calibrated"),
        "residual": Variable(JOB, "float64", doc="largest |log(rate / target)| of the calibration"),
        "value": Variable(AXES, "float64", doc="the statistic of one simulation, in its unit"),
        "mean": _over_seeds("mean over seeds"),
        "ci_low": _over_seeds("lower bound of its 95 % interval (Student's t over seeds)"),
        "ci_high": _over_seeds("upper bound"),
        "deviation": _over_seeds("mean over that of the reference, less 1"),
        "deviation_low": _over_seeds("lower bound of its 95 % interval (Welch)"),
        "deviation_high": _over_seeds("upper bound"),
        "verdict": Variable(
            OVER_SEEDS,
            "text",
            doc="whether the interval of the deviation lies within the tolerance (preserved), outside (changed), or neither "
            "(undetermined); `reference` at the reference itself",
        ),
    },
    attrs={"model": str, "reference": float, "tolerance": float},
    groups={"tables": {}},
    check=check,
)


def scaling(
    axes: Mapping[str, Sequence[Any]],
    variables: Mapping[str, Any],
    tables: Mapping[str, xr.Dataset] | None = None,
    *,
    attrs: Mapping[str, Any],
) -> xr.DataTree:
    """Build a Scaling store.

    Parameters
    ----------
    axes : mapping of str to sequence
        Values along size, scheme, seed, condition, statistic and population.
    variables : mapping of str to array_like
        All other variables of the schema, each of the shape of its dimensions, `value` [size, scheme, seed, condition,
        statistic, population].
    tables : mapping of str to Dataset, optional
        `/tables/{name}`; dimensions that are axes have the values of the axes.
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived, model, reference, tolerance).

    Returns
    -------
    DataTree

    Raises
    ------
    StoreError
        Something is missing, or of another shape, and every other violation.
    """
    wanted = [name for name in SCHEMA.variables if name not in AXES]
    if missing := [*(name for name in AXES if name not in axes), *(name for name in wanted if name not in variables)]:
        raise StoreError(
            what=f"{', '.join(missing)} missing", where="scaling", expected=", ".join([*AXES, *wanted]), do="pass them"
        )
    coords = {name: (name, _typed(axes[name], SCHEMA.variables[name].dtype)) for name in AXES}
    shape = {name: len(values) for name, (_, values) in coords.items()}
    data = {}
    for name in wanted:
        spec = SCHEMA.variables[name]
        values = _typed(variables[name], spec.dtype)
        expected = tuple(shape[dim] for dim in spec.dims)
        if values.shape != expected:
            raise StoreError(
                what=f"{name} has the shape {values.shape}", where="scaling", expected=f"{expected} {spec.dims}"
            )
        data[name] = (spec.dims, values)
    root = xr.Dataset(data, coords=coords, attrs=SCHEMA.root_attrs(attrs))
    groups = {f"/tables/{name}": as_stored(table) for name, table in (tables or {}).items()}
    tree = xr.DataTree.from_dict({"/": root, **groups})
    require(tree, SCHEMA)
    return tree


def _typed(values: Any, dtype: str) -> np.ndarray:
    return text(values).reshape(np.shape(values)) if dtype == "text" else np.asarray(values, dtype)
