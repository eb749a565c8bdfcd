"""The coarse-grained model held against the network: error table, maps, and how long a simulation is as precise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.models import MODELS
from allometry.models.v1_wiring import preferred_orientation
from allometry.scale.coarse.estimation import Observation
from allometry.scale.coarse.fixed_point import FloatArray, Solution, open_loop, solve, with_effective_indegrees
from allometry.scale.coarse.pixels import POPULATIONS
from allometry.scale.coarse.responses import Tables

NETWORK = "network"
SCHEMES = {
    "coarse": "fixed point with the drawn connections as effective in-degrees",
    "open_loop": "the same tables at the network's own rates",
    "expected": "fixed point with the connections that a class has on average",
    "own": "baseline: LGN inputs, class and threshold of the pixel's cells, without the network",
}
_ROLES = {"coarse": "result", "open_loop": "control", "expected": "control", "own": "baseline"}
_DOMAIN_DEG = 11.25
_RESAMPLES = 500
_PERCENT = 2.5, 97.5


@dataclass(frozen=True, eq=False)
class Evaluated:
    """Rates of the pixels of one network, by condition and scheme.

    Parameters
    ----------
    observation : Observation
        Of the network, with drawn connections.
    rates : dict of str to dict of str to dict of str to np.ndarray
        float [pixel], spikes/s, by condition, scheme (`network` and `SCHEMES`) and population.
    solutions : dict of str to Solution
        Of the scheme `coarse`, by condition.
    """

    observation: Observation
    rates: dict[str, dict[str, dict[str, FloatArray]]]
    solutions: dict[str, Solution]


def evaluate(drawn: Observation, expected: Observation, tables: Tables, **options: Any) -> Evaluated:
    """Solve all conditions of a network that the tables have not seen.

    Parameters
    ----------
    drawn, expected : Observation
        With and without the drawn connections.
    tables : Tables
        Of all that can be known (`estimation.KNOWN`).
    **options
        Of `fixed_point.solve`.

    Raises
    ------
    SimulationError
        A fixed point of the scheme `coarse` does not converge, or ends outside the tables; those of the others may.
    """
    rates: dict[str, dict[str, dict[str, FloatArray]]] = {}
    solutions = {}
    free = {**options, "strict": False}
    for kind in tables["drawn"]:
        conditions = {name: drawn.shown[name] for name in drawn.of(kind)}
        known, average, own = (tables[key][kind] for key in ("drawn", "expected", "own"))
        sheet = with_effective_indegrees(drawn.sheet, conditions, known, **options)
        for name, given in conditions.items():
            observed = drawn.rates(name)
            solutions[name] = solve(sheet, given, known, **options)
            rates[name] = {
                NETWORK: observed,
                "coarse": solutions[name].rates,
                "open_loop": open_loop(sheet, given, known, observed),
                "expected": solve(expected.sheet, expected.shown[name], average, **free).rates,
                "own": open_loop(drawn.sheet, given, own, observed),
            }
    return Evaluated(replace(drawn, sheet=sheet), {name: rates[name] for name in drawn.shown}, solutions)


def scores(evaluated: Sequence[Evaluated], name: str, attrs: Mapping[str, Any]) -> xr.DataTree:
    """A Scores store: errors of every scheme over the pixels of the central hypercolumn, with maps.

    Parameters
    ----------
    evaluated : sequence of Evaluated
        Networks that the tables have not seen.
    name : str
        Of the coarse-grained model.
    attrs : mapping
        `parameters`, and what the tables were made from.
    """
    errors = _errors(evaluated)
    domains = _domains(evaluated)
    rows = [*_rate_rows(evaluated, errors), *_domain_rows(domains)]
    model = MODELS["v1"]
    return stores.scores(
        pd.DataFrame(rows),
        {"errors": errors, "maps": _maps(evaluated), "domains": domains},
        attrs={
            "title": f"Coarse-grained V1 against the network ({name})",
            "species": "none (model)",
            "citation": model.source,
            "licence": "none",
            "source": {"model": "v1"},
            "derived": {
                "pixel_correlation": "over the pixels of the central hypercolumn, mean over conditions and seeds",
                "rate_deviation": "mean rate of these pixels over that of the network, less 1, likewise",
                "pixel_error": "root mean squared logarithm of the ratio of rates, likewise",
                "preferred_over_orthogonal": "rate of the pixels within 11.25 degrees of the grating over that of those orthogonal",
                "interval": "95 % of resampled pixels",
                **SCHEMES,
            },
            **attrs,
        },
    )


def _central(one: Evaluated, condition: str, scheme: str, population: str) -> FloatArray:
    return one.rates[condition][scheme][population][one.observation.sheet.central]


def _correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    """Along the last axis."""
    x, y = (v - v.mean(axis=-1, keepdims=True) for v in (a, b))
    return np.asarray((x * y).sum(axis=-1) / np.maximum(np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1)), 1e-300))


def equivalent_s(one: Evaluated, condition: str, population: str) -> float:
    """Seconds of simulation whose pixels are as far from their means as the coarse-grained ones are from the network's, s.

    From the variance of the network's rates between pieces of time; of the squared error, what the reference's own noise
    explains is taken off. Infinite where nothing is left.
    """
    seen, inside = one.observation, one.observation.sheet.central
    rate = _central(one, condition, NETWORK, population)
    pieces = seen.pieces[condition][population][:, inside]
    noise = float((pieces.var(axis=0, ddof=1) / rate**2).mean()) * seen.piece_s if len(pieces) > 1 else np.nan
    error = float(((_central(one, condition, "coarse", population) / rate - 1.0) ** 2).mean())
    left = error - noise / seen.duration_s
    return noise / left if left > 0 else np.inf


def _errors(evaluated: Sequence[Evaluated]) -> xr.Dataset:
    first = evaluated[0]
    axes = ("seed", "condition", "scheme", "population")
    shape = len(evaluated), len(first.rates), len(SCHEMES), len(POPULATIONS)
    found = {key: np.full(shape, np.nan) for key in ("rate", "rate_deviation", "pixel_correlation", "pixel_error")}
    network = np.full((shape[0], shape[1], shape[3]), np.nan)
    equal, residual = network.copy(), network[..., 0].copy()
    updates = np.zeros(residual.shape, np.int64)
    for s, one in enumerate(evaluated):
        for c, condition in enumerate(one.rates):
            residual[s, c] = one.solutions[condition].residual
            updates[s, c] = one.solutions[condition].iterations
            for p, population in enumerate(POPULATIONS):
                reference = _central(one, condition, NETWORK, population)
                network[s, c, p] = reference.mean()
                length = equivalent_s(one, condition, population)
                equal[s, c, p] = length if np.isfinite(length) else np.nan
                for k, scheme in enumerate(SCHEMES):
                    rates = _central(one, condition, scheme, population)
                    found["rate"][s, c, k, p] = rates.mean()
                    found["rate_deviation"][s, c, k, p] = rates.mean() / reference.mean() - 1.0
                    found["pixel_correlation"][s, c, k, p] = _correlation(rates, reference)
                    ratio = np.log(np.maximum(rates, 1e-3) / np.maximum(reference, 1e-3))
                    found["pixel_error"][s, c, k, p] = np.sqrt((ratio**2).mean())
    return xr.Dataset(
        {
            **{key: (axes, values) for key, values in found.items()},
            "network_rate": (("seed", "condition", "population"), network),
            "equivalent_s": (("seed", "condition", "population"), equal),
            "residual": (("seed", "condition"), residual),
            "updates": (("seed", "condition"), updates),
        },
        coords={
            "seed": [one.observation.seed for one in evaluated],
            "condition": list(first.rates),
            "scheme": list(SCHEMES),
            "population": list(POPULATIONS),
        },
    )


def _maps(evaluated: Sequence[Evaluated]) -> xr.Dataset:
    """Rates of all pixels of the first network."""
    one = evaluated[0]
    side = one.observation.sheet.side
    shown = [NETWORK, *SCHEMES]
    rates = np.array(
        [[[of[scheme][p].reshape(side, side) for p in POPULATIONS] for scheme in shown] for of in one.rates.values()]
    )
    centre = (np.arange(side) + 0.5) * one.observation.sheet.pixel_um
    return xr.Dataset(
        {
            "rate": (("condition", "scheme", "population", "y_um", "x_um"), np.round(rates, 4)),
            "central": (("y_um", "x_um"), one.observation.sheet.central.reshape(side, side)),
        },
        coords={
            "condition": list(one.rates), "scheme": shown, "population": list(POPULATIONS), "y_um": centre, "x_um": centre,
        },
        attrs={"units": "spikes/s", "seed": one.observation.seed},
    )  # fmt: skip


def _domains(evaluated: Sequence[Evaluated]) -> xr.Dataset:
    """Mean rates of the central pixels that prefer the grating, and of those orthogonal to it, over gratings and networks."""
    shown = [NETWORK, *SCHEMES]
    sums = np.zeros((2, len(shown), len(POPULATIONS)))
    numbers = np.zeros(2)
    for one in evaluated:
        sheet = one.observation.sheet
        row, column = np.divmod(np.flatnonzero(sheet.central), sheet.side)
        prefers = np.degrees(preferred_orientation((np.stack([column, row], axis=1) + 0.5) * sheet.pixel_um))
        for condition, contrast in one.observation.contrast.items():
            if contrast <= 0:
                continue
            apart = np.abs((prefers - one.observation.orientation_deg[condition] + 90.0) % 180.0 - 90.0)
            for k, of in enumerate((apart <= _DOMAIN_DEG, apart >= 90.0 - _DOMAIN_DEG)):
                numbers[k] += of.sum()
                sums[k] += [[_central(one, condition, s, p)[of].sum() for p in POPULATIONS] for s in shown]
    mean = sums / np.where(numbers > 0, numbers, np.nan)[:, None, None]
    return xr.Dataset(
        {"rate": (("domain", "scheme", "population"), mean)},
        coords={"domain": ["preferred", "orthogonal"], "scheme": shown, "population": list(POPULATIONS)},
        attrs={"units": "spikes/s"},
    )


def _rate_rows(evaluated: Sequence[Evaluated], errors: xr.Dataset) -> list[dict[str, Any]]:
    rows = []
    kinds: dict[str, list[str]] = {"background": [], "gratings": []}
    for condition, contrast in evaluated[0].observation.contrast.items():
        kinds["gratings" if contrast > 0 else "background"].append(condition)
    for kind, conditions in kinds.items():
        if not conditions:
            continue
        resampled = {p: _resampled(evaluated, conditions, p) for p in POPULATIONS}
        mean = errors.sel(condition=conditions).mean(("seed", "condition"))
        for measure in ("pixel_correlation", "rate_deviation", "pixel_error"):
            for p in POPULATIONS:
                for scheme in SCHEMES:
                    score = float(mean[measure].sel(scheme=scheme, population=p))
                    row: dict[str, Any] = {
                        "measure": measure, "candidate": scheme, "reference": NETWORK, "group": f"{kind}, {p} cells",
                        "score": score, "role": _ROLES[scheme],
                        "n": int(evaluated[0].observation.sheet.central.sum()) * len(conditions) * len(evaluated),
                    }  # fmt: skip
                    if measure == "pixel_correlation":
                        row["ci_low"], row["ci_high"] = np.percentile(resampled[p][scheme], _PERCENT)
                    if measure == "pixel_correlation" and scheme == "coarse":
                        row |= _judged(score, mean, p, resampled[p])
                    rows.append(row)
    return rows


def _resampled(evaluated: Sequence[Evaluated], conditions: Sequence[str], population: str) -> dict[str, FloatArray]:
    """Correlation of every scheme over resampled pixels, mean over conditions and networks, float [resample]."""
    n = int(evaluated[0].observation.sheet.central.sum())
    chosen = np.random.default_rng(1).integers(0, n, (_RESAMPLES, n))
    out = {}
    for scheme in SCHEMES:
        every = [
            _correlation(_central(one, c, scheme, population)[chosen], _central(one, c, NETWORK, population)[chosen])
            for one in evaluated
            for c in conditions
        ]
        out[scheme] = np.mean(every, axis=0)
    return out


def _judged(score: float, mean: xr.Dataset, population: str, resampled: Mapping[str, FloatArray]) -> dict[str, Any]:
    low, high = np.percentile(resampled["coarse"] - resampled["own"], _PERCENT)
    return {
        "baseline": "own",
        "difference": score - float(mean["pixel_correlation"].sel(scheme="own", population=population)),
        "difference_low": low,
        "difference_high": high,
        "verdict": "better" if low > 0 else "worse" if high < 0 else "undecided",
    }


def _domain_rows(domains: xr.Dataset) -> list[dict[str, Any]]:
    ratio = domains["rate"].sel(domain="preferred") / domains["rate"].sel(domain="orthogonal")
    return [
        {
            "measure": "preferred_over_orthogonal", "candidate": scheme, "group": f"gratings, {p} cells",
            "reference": "" if scheme == NETWORK else NETWORK, "score": float(ratio.sel(scheme=scheme, population=p)),
            "role": _ROLES.get(scheme, "control"),
        }
        for p in POPULATIONS
        for scheme in [NETWORK, *SCHEMES]
        if np.isfinite(ratio.sel(scheme=scheme, population=p))
    ]  # fmt: skip
