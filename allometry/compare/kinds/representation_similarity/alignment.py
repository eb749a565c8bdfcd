"""Stimuli that several populations were shown: their responses in one order of stimuli."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inputs.design import PARAMETERS, Population, populations
from allometry.errors import ComparisonError


def shared_parameters(group: Sequence[Population]) -> list[str]:
    """Parameters that every population's table gives for every stimulus that is no blank."""
    return [
        name
        for name in PARAMETERS
        if all(name in p.stimuli and p.stimuli.loc[~p.stimuli["blank"], name].notna().all() for p in group)
    ]


def align(
    group: Sequence[Population], inputs: Mapping[str, xr.Dataset], fewest: int, **options: Any
) -> tuple[list[FloatArray], list[str], list[str]]:
    """Responses of several populations to the stimuli that all of them were shown.

    Populations of one store share their stimuli. Those of different stores are matched by the parameters that all tables
    give; presentations that differ in other parameters are pooled (a store with directions alone and one with directions
    and temporal frequencies are compared by direction).

    Parameters
    ----------
    group : sequence of Population
    inputs : mapping
        Their stores by name.
    fewest : int
        Stimuli that must remain.
    **options
        As given to `design.populations`, without `by`.

    Returns
    -------
    responses : list of ndarray, each of shape (stimuli, repeats, units)
    parameters : list of str
        What the stimuli were matched by; empty within one store.
    labels : list of str
        The stimuli.

    Raises
    ------
    ComparisonError
        Too few stimuli in common.
    """
    if len({p.store for p in group}) == 1:
        return [p.responses for p in group], [], group[0].stimuli["label"].tolist()
    names = " and ".join(p.name for p in group)
    parameters = shared_parameters(group)
    if not parameters:
        given = {p.name: [c for c in PARAMETERS if c in p.stimuli] for p in group}
        raise ComparisonError(
            f"{names} have no parameter of the stimulus in common",
            expected="; ".join(f"{name} has {', '.join(columns) or 'none'}" for name, columns in given.items()),
            do="compare them with models only (between: false)",
        )
    pooled = [_pooled(p, inputs[p.store], parameters, options) for p in group]
    keys = [_keys(p, parameters) for p in pooled]
    common = [key for key in keys[0] if all(key in other for other in keys[1:])]
    if len(common) < fewest:
        raise ComparisonError(
            f"{names} share {len(common)} stimuli by {', '.join(parameters)}",
            expected=f"at least {fewest}",
            do="compare them with models only (between: false), or choose stores that were shown the same stimuli",
        )
    responses = [p.responses[[where[key] for key in common]] for p, where in zip(pooled, keys)]
    labels = pooled[0].stimuli["label"].iloc[[keys[0][key] for key in common]].tolist()
    return responses, parameters, labels


def _pooled(
    population: Population, store: xr.Dataset, parameters: Sequence[str], options: Mapping[str, Any]
) -> Population:
    found = populations(population.store, store, by=parameters, **options)
    return next(p for p in found if p.name == population.name)


def _keys(population: Population, parameters: Sequence[str]) -> dict[tuple[float, ...], int]:
    """Row of each stimulus by its parameters; a blank has none."""
    table = population.stimuli
    values = np.round(table[list(parameters)].to_numpy(float), 4)
    return {(() if blank else tuple(v)): row for row, (v, blank) in enumerate(zip(values, table["blank"]))}
