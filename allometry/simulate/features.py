"""Points of feature models: fits, Responses stores, and the responses of a whole run in one store."""

import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import files, stores
from allometry.errors import SimulationError
from allometry.models import features
from allometry.models.catalogue.fits import Fit
from allometry.models.features.registry import find
from allometry.simulate.distribute.execution import Execution
from allometry.simulate.runner import run_batch

_LOG = logging.getLogger("allometry")


def fit_feature(parameters: Mapping[str, Any], out: str | Path) -> None:
    """Fit a model, and write what was found as JSON.

    Parameters
    ----------
    parameters : mapping
        `model`, `parameters` and `seed`.
    out : path
        JSON file to write: arrays, residual, whether it converged, and the residuals on the way.

    Raises
    ------
    SimulationError
        See `features.fit`.
    """
    found = features.fit(parameters["model"], parameters["parameters"], parameters["seed"])
    (_LOG.info if found.converged else _LOG.warning)("%s: %s", parameters["model"], found)
    text = json.dumps(found.as_dict(), indent=1, sort_keys=True) + "\n"
    with files.writing(out, SimulationError):
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        files.write_text(Path(out), text)


def read_fit(path: str | Path) -> Fit:
    """The fit that `fit_feature` wrote.

    Raises
    ------
    SimulationError
        The file holds none.
    """
    try:
        return Fit.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SimulationError(
            f"no fit can be read ({error})", where=str(path), expected="a fit of a feature model", do="remove it"
        ) from error


def run_feature(
    parameters: Mapping[str, Any],
    store: str | Path,
    fit: str | Path | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    execution: Execution | None = None,
) -> None:
    """Compute the responses of one point, and write them as a Responses store.

    Parameters
    ----------
    parameters : mapping
        Everything that determines the result: `model`, `parameters`, `seed`.
    store : path
        Store to write.
    fit : path, optional
        What `fit_feature` wrote; of a model that is fitted, it is made anew without one.
    overwrite : bool
        Whether a store that is there may be replaced.
    execution : Execution, optional
        Where and how a network of rate units runs; default one thread of this machine.

    Raises
    ------
    SimulationError
        See `features.build`.
    """
    stores.require_free(store, overwrite=overwrite)
    name, given, seed = parameters["model"], parameters["parameters"], int(parameters["seed"])
    model, whole = find(name), features.resolved(name, given)
    fitted = read_fit(fit) if fit else features.fit(name, given, seed) if model.fit else None
    made = responses_of(features.build(name, given, seed, fitted), seed, Path(store).parent, execution)
    derived = {"model": f"{model.description} It stands for no recorded animal.", **made.derived}
    attrs: dict[str, Any] = {
        "title": f"Responses of the model {name}",
        "species": "none (model)",
        "citation": model.source,
        "licence": "none",
        "source": {},
        "parameters": {"model": name, "parameters": whole},
        "seed": seed,
    }
    if fitted is not None:
        derived["fit"] = str(fitted)
        attrs["fit"] = fitted.summary
    if made.measured:
        attrs["measured"] = list(made.measured)
    dataset = stores.responses(
        np.asarray(made.response),
        pd.DataFrame({key: np.asarray(values) for key, values in made.presentations.items()}),
        pd.DataFrame({key: np.asarray(values) for key, values in made.units.items()}),
        lag_s=made.lag_s,
        attrs={**attrs, "derived": derived},
        response_units=made.unit,
        column_units=dict(made.column_units),
    )
    _LOG.info("%s: %d units, %d presentations", name, *dataset["response"].shape[:2])
    stores.write(dataset, store, overwrite=overwrite, provenance=dict(provenance or {}))


def responses_of(
    made: features.Features | features.Protocol, seed: int, beside: str | Path, execution: Execution | None = None
) -> features.Features:
    """Responses of what a builder returned: a network of rate units is run.

    Parameters
    ----------
    made : Features or Protocol
        What `features.build` returned.
    seed : int
        Of the noise, where a condition has none of its own.
    beside : path
        Folder for what is recorded on the way.
    execution : Execution, optional
        Where and how it runs; default one thread of this machine.
    """
    if isinstance(made, features.Features):
        return made
    Path(beside).mkdir(parents=True, exist_ok=True)
    how = execution or Execution(threads=1, checkpoint="off", progress=False)
    with tempfile.TemporaryDirectory(prefix=".recorded-", dir=beside) as folder:
        found = run_batch(
            made.network, made.conditions, made.duration_ms, seed, folder, record=made.record, execution=how
        )
        return made.responses(
            [
                {str(name): one.values for name, one in store.data_vars.items() if one.dims[:1] == ("sample",)}
                for store in found.values()
            ]
        )


def gather(
    trials: Sequence[Mapping[str, Any]],
    out: str | Path,
    *,
    model: str,
    populations: Sequence[str] = (),
    max_units: int = 200,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write the responses of all points of a run as one Responses store; each network is an `area` of its own.

    Parameters
    ----------
    trials : sequence of mapping
        `network`, what tells it apart in words, and `path` of its store, of every point.
    out : path
        Store to write.
    model : str
        Name of the model.
    populations : sequence of str
        Areas whose units are taken; none: all of them.
    max_units : int
        Units of each network and area, spread evenly.

    Raises
    ------
    SimulationError
        The points were not shown the same stimuli, or there is no such area.
    """
    opened = {str(trial["network"]): _opened(trial["path"]) for trial in trials}
    first = next(iter(opened.values()))
    shown, tables, blocks, unsettled = _shown(first), [], [], []
    for network, store in opened.items():
        if not shown.equals(_shown(store)):
            raise SimulationError(
                f"{network} was shown other stimuli than {next(iter(opened))}",
                where="responses",
                expected="the same presentations in every point of the run",
                do="give the stimuli a seed of their own, sweep no parameter that decides them, or remove responses",
            )
        of = store["area"].values.astype(object)
        known = list(dict.fromkeys(of.tolist()))
        if unknown := [name for name in populations if name not in known]:
            raise SimulationError(
                f"no area is called {unknown[0]!r}",
                where="responses.populations",
                expected="one of " + ", ".join(known),
            )
        chosen = populations or known
        units = np.concatenate([_spread(np.flatnonzero(of == name), max_units) for name in chosen])
        table = _table(store, "unit").iloc[units]
        if len(opened) > 1:
            table = table.assign(area=[f"{network} {name}" for name in table["area"]])
        tables.append(table)
        blocks.append(store["response"].values[units])
        if not stores.attribute(store, "fit", {"converged": True})["converged"]:
            unsettled.append(network)
    derived = {
        **stores.attribute(first, "derived"),
        "area": "a network each: its parameters and seed, and the area within",
    }
    if "fit" in derived:
        derived["fit"] = (
            f"did NOT converge in {len(unsettled)} of {len(opened)} networks: {', '.join(unsettled)}"
            if unsettled
            else f"converged in all {len(opened)} networks"
        )
    of_axis = {str(name): str(one.attrs["units"]) for name, one in first.variables.items() if "units" in one.attrs}
    dataset = stores.responses(
        np.concatenate(blocks),
        shown,
        pd.concat(tables, ignore_index=True),
        lag_s=first["lag"].values if "lag" in first.coords else None,
        attrs={
            **{key: first.attrs[key] for key in ("title", "species", "citation", "licence")},
            "source": {},
            "parameters": {"model": model, "populations": list(populations), "max_units": max_units},
            "derived": derived,
        },
        response_units=of_axis.pop("response"),
        column_units=of_axis,
    )
    _LOG.info("%d units of %d networks (%s)", dataset.sizes["unit"], len(opened), model)
    stores.write(dataset, out, overwrite=True, provenance=dict(provenance or {}))


def _opened(path: str | Path) -> xr.Dataset:
    store = stores.open(path)
    stores.require_kind(store, "Responses")
    assert isinstance(store, xr.Dataset)
    return store


def _table(store: xr.Dataset, axis: str) -> pd.DataFrame:
    """Columns over units or presentations, without the labels of the axis."""
    columns = {str(name): one.values for name, one in store.data_vars.items() if one.dims == (axis,)}
    return pd.DataFrame({name: v.astype(object) if v.dtype.kind == "T" else v for name, v in columns.items()})


def _shown(store: xr.Dataset) -> pd.DataFrame:
    """Columns of the presentations that say what was shown."""
    return _table(store, "presentation").drop(columns=list(stores.attribute(store, "measured", [])))


def _spread(units: np.ndarray, most: int) -> np.ndarray:
    """At most so many units, evenly over all of them."""
    kept = min(most, units.size)
    return units[((np.arange(kept) + 0.5) * units.size / max(kept, 1)).astype(np.int64)]
