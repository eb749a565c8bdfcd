"""Kinds that compare a connectome with something else: function, another connectome, activity, its own rewirings."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores as store
from allometry.compare.kinds.activity_structure import activity_structure
from allometry.compare.kinds.connectome_agreement import connectome_agreement
from allometry.compare.kinds.connectome_reservoir import connectome_reservoir
from allometry.compare.kinds.propagation import propagation
from allometry.compare.kinds.structure_bold import structure_bold
from allometry.compare.kinds.structure_function import structure_function
from allometry.compare.result import Result
from tests.compare.calibration.harness import (
    COVERAGE,
    FALSE_BETTER,
    LEVEL,
    Study,
    better,
    conservative,
    covers,
    wide,
)
from tests.compare.calibration.stores import activity, connectome, names, slow, wiring

NULLS, BOOTSTRAP = 99, 199
EDGES_TWICE = "every edge is resampled with both its nodes, which is too much where edges are independent of them"


def table(result: Result, *keys: str) -> pd.DataFrame:
    """Rows by keys; a result before the baselines that go by the same."""
    frame = pd.DataFrame(result.rows)
    frame = frame.sort_values("role", key=lambda role: role != "result", kind="stable")
    return frame.drop_duplicates(list(keys)).set_index(list(keys))


def atlas(size: int, stimulated: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Influences by neurons of their own excitability, on any target alike; only some neurons are stimulated."""
    rate = rng.beta(4, 8, size=size)
    influence = rng.random((size, size)) < rate[:, None]
    value = rng.normal(size=(size, size)) + rng.normal(size=(size, 1)) * 0.3
    measured = np.arange(size)[:, None] < stimulated + np.zeros(size, int)
    return {
        "functional": np.where(measured, value, np.nan),
        "q": np.where(measured, np.where(influence, 0.01, 0.5), np.nan),
    }


def _structure_function(seed: int) -> Mapping[str, float]:
    rng = np.random.default_rng(seed)
    labels = names(20)
    inputs = {
        "anatomy": connectome(labels, chemical=wiring(20, 0.3, rng)),
        "atlas": connectome(labels, **atlas(20, 8, rng)),
    }
    result = structure_function(
        inputs, function=["atlas"], structure=["anatomy"], synapses=["chemical"], nulls=NULLS, bootstrap=BOOTSTRAP,
        seed=seed,
    )  # fmt: skip
    rows = table(result, "measure", "group")
    auc = rows.loc[("influence_auc", "weight")]
    given, ratio, response = (
        rows.loc[(name, "")] for name in ("influence_given_edge", "influence_ratio", "weight_response_correlation")
    )
    return {
        "p of AUC": auc.p,
        "p of influence given an edge": given.p,
        "p of ratio": ratio.p,
        "p of weight and response": response.p,
        "AUC better": better(auc),
        "influence given an edge better": better(given),
        "covers AUC .5": covers(auc, 0.5),
        "covers P(influence | edge)": covers(given, 1 / 3),
        "covers P(influence | none)": covers(rows.loc[("influence_without_edge", "")], 1 / 3),
        "covers ratio 1": covers(ratio, 1.0),
        "covers correlation 0": covers(response, 0.0),
    }


def _propagation(seed: int) -> Mapping[str, float]:
    rng = np.random.default_rng(seed)
    labels = names(20)
    point = connectome(labels, functional=rng.normal(size=(20, 20)) + rng.normal(size=20))
    store.set_attributes(point, parameters={"connectome": "anatomy", "weight_mv": 1.0, "gap_junction": 0.0})
    inputs = {
        "anatomy": connectome(labels, chemical=wiring(20, 0.3, rng)),
        "atlas": connectome(labels, **atlas(20, 8, rng)),
        "point": point,
    }
    result = propagation(
        inputs, run="run", function="atlas", structure=["anatomy"], nulls=NULLS, bootstrap=BOOTSTRAP, seed=seed
    )
    rows = table(result, "measure", "group")
    simulated, gain = rows.loc[("influence_auc", "simulated")], rows.loc[("influence_auc_gain", "over_weight")]
    return {
        "p of simulated": simulated.p,
        "p of weight": rows.loc[("influence_auc", "weight")].p,
        "p of gain": gain.p,
        "simulated better": better(simulated),
        "covers AUC .5": covers(simulated, 0.5),
        "covers indirect .5": covers(rows.loc[("influence_auc_indirect", "simulated")], 0.5),
        "covers gain 0": covers(gain, 0.0),
    }


def _agreement(seed: int) -> Mapping[str, float]:
    """Unrelated annotations; one that misses edges; the same edges with unrelated weights that follow their nodes."""
    rng = np.random.default_rng(seed)
    labels = names(24)
    first = wiring(24, 0.3, rng)
    missed = np.where(rng.random(first.shape) < 0.7, first, 0)
    strength = rng.lognormal(size=24)
    weighted = (first > 0) * np.ceil(3 * np.outer(strength, strength) * rng.lognormal(sigma=0.5, size=first.shape))
    inputs = {
        "first": connectome(labels, chemical=first),
        "unrelated": connectome(labels, chemical=wiring(24, 0.3, rng)),
        "missed": connectome(labels, chemical=missed),
        "weighted": connectome(labels, chemical=weighted),
    }
    options = {"synapses": ["chemical"], "nulls": NULLS, "bootstrap": BOOTSTRAP, "seed": seed}
    found = {
        name: table(connectome_agreement(inputs, structure=["first", name], **options), "measure", "candidate").xs(
            name, level="candidate"
        )
        for name in ("unrelated", "missed", "weighted")
    }
    weight = found["weighted"].loc["weight_rank_correlation"]
    return {
        "p of recall": found["unrelated"].loc["edge_recall"].p,
        "p of weights": weight.p,
        "recall better": better(found["unrelated"].loc["edge_recall"]),
        "weights better": better(weight),
        "covers recall .7": covers(found["missed"].loc["edge_recall"], 0.7),
        "covers correlation 0": covers(weight, 0.0),
        "covers correlation 0 within nodes": float(weight.within_low <= 0 <= weight.within_high),
    }


def _structure_bold(seed: int) -> Mapping[str, float]:
    """Fibres between regions of their own strength, BOLD with one signal of which regions take their own part."""
    rng = np.random.default_rng(seed)
    labels = names(14)
    inputs: dict[str, xr.Dataset | xr.DataTree] = {}
    traces = []
    for k in range(4):
        half = np.triu(wiring(14, 0.5, rng), 1)
        inputs[f"dti{k}"] = connectome(labels, structural=half + half.T)
        store.set_attributes(inputs[f"dti{k}"], parameters={"subject": f"w{k}"})
        traces.append(rng.normal(size=(60, 14)) + rng.normal(size=(60, 1)) * rng.random(14))
    inputs["bold"] = activity(traces, labels)
    result = structure_bold(
        inputs, activity=["bold"], structure=[f"dti{k}" for k in range(4)], nulls=NULLS, bootstrap=BOOTSTRAP, seed=seed
    )
    rows = table(result, "candidate", "group")
    own, gain = rows.loc[("dti0", "own")], rows.loc[("dti0", "over_strength")]
    mean = rows.loc[("mean over subjects", "mean")]
    return {
        "p of own": own.p,
        "p of gain": gain.p,
        "covers 0": covers(own, 0.0),
        "covers gain 0": covers(gain, 0.0),
        "covers 0 in the mean of subjects": covers(mean, 0.0),
        "own better": better(own),
        "gain better": better(gain),
        "mean of subjects better": better(mean),
    }


def _activity_structure(seed: int) -> Mapping[str, float]:
    rng = np.random.default_rng(seed)
    labels = names(14)
    traces = [slow(120, 14, 2.0, rng) + slow(120, 1, 2.0, rng) * rng.random(14) for _ in range(3)]
    for trace in traces:
        trace[:, rng.integers(14)] = np.nan
    inputs = {"activity": activity(traces, labels), "anatomy": connectome(labels, chemical=wiring(14, 0.4, rng))}
    result = activity_structure(
        inputs, activity=["activity"], structure=["anatomy"], synapses=["chemical"], nulls=NULLS, bootstrap=BOOTSTRAP,
        seed=seed,
    )  # fmt: skip
    row = table(result, "group").loc["chemical"]
    return {"p of chemical": row.p, "covers 0": covers(row, 0.0), "chemical better": better(row)}


def _reservoir(seed: int) -> Mapping[str, float]:
    rng = np.random.default_rng(seed)
    inputs = {"random": connectome(names(12), chemical=wiring(12, 0.4, rng, hubs=0.0))}
    result = connectome_reservoir(
        inputs, structure=["random"], synapses=["chemical"], radius=0.9, noise=1e-4, nulls=39, seed=seed
    )
    rows = table(result, "measure", "group")
    found: dict[str, float] = {}
    for name in RESERVOIR:
        row = rows.loc[(name, "connectome")]
        found |= {f"p of {name}": row.p, f"{name} better": better(row)}
    return found


RESERVOIR = ("memory_capacity", "timing_score")

STUDIES = [
    Study(
        "structure_function",
        _structure_function,
        dict.fromkeys(["p of AUC", "p of influence given an edge", "p of ratio", "p of weight and response"], LEVEL)
        | dict.fromkeys(
            ["covers AUC .5", "covers P(influence | edge)", "covers P(influence | none)", "covers ratio 1"], COVERAGE
        )
        | {"covers correlation 0": COVERAGE}
        | dict.fromkeys(["AUC better", "influence given an edge better"], FALSE_BETTER),
    ),
    Study(
        "propagation",
        _propagation,
        dict.fromkeys(["p of simulated", "p of weight", "p of gain"], LEVEL)
        | dict.fromkeys(["covers AUC .5", "covers indirect .5", "covers gain 0"], COVERAGE)
        | {"simulated better": FALSE_BETTER},
    ),
    Study(
        "connectome_agreement",
        _agreement,
        dict.fromkeys(["p of recall", "p of weights"], LEVEL)
        | dict.fromkeys(["recall better", "weights better"], FALSE_BETTER)
        | {"covers recall .7": wide(EDGES_TWICE), "covers correlation 0": wide(EDGES_TWICE)}
        | {"covers correlation 0 within nodes": COVERAGE},
    ),
    Study(
        "structure_bold",
        _structure_bold,
        {"p of own": LEVEL, "p of gain": conservative(EDGES_TWICE)}
        | {"covers 0": wide(EDGES_TWICE), "covers gain 0": wide(EDGES_TWICE)}
        | {"covers 0 in the mean of subjects": COVERAGE}
        | dict.fromkeys(["own better", "gain better", "mean of subjects better"], FALSE_BETTER),
    ),
    Study(
        "activity_structure",
        _activity_structure,
        {"p of chemical": LEVEL, "covers 0": wide(EDGES_TWICE), "chemical better": FALSE_BETTER},
    ),
    Study(
        "connectome_reservoir",
        _reservoir,
        {f"p of {name}": LEVEL for name in RESERVOIR} | {f"{name} better": FALSE_BETTER for name in RESERVOIR},
        few=4,
    ),
]
