"""Kinds that compare systems with systems: representations, animals' dynamics and manifolds, model recovery; and the tools."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from allometry.compare.inference import partitions, roc
from allometry.compare.inference import statistics as st
from allometry.compare.kinds.activity_manifolds import activity_manifolds
from allometry.compare.kinds.dynamic_connectome import dynamic_connectome
from allometry.compare.kinds.model_recovery import comparison as recovery
from allometry.compare.kinds.representation_similarity import representation_similarity
from allometry.compare.measures.representations.mantel import rsa_permutation
from tests.compare.calibration.connectomes import table
from tests.compare.calibration.harness import (
    COVERAGE,
    FALSE_BETTER,
    LEVEL,
    Band,
    Study,
    better,
    conservative,
    covers,
    wide,
)
from tests.compare.calibration.stores import activity, names, slow
from tests.compare.responses import directions, make_responses


def _representation_similarity(seed: int) -> Mapping[str, float]:
    """Two populations that were shown the same eight directions and share nothing."""
    rng = np.random.default_rng(seed)
    parameters = {"direction": directions(8)}
    inputs = {
        name: make_responses(rng.normal(size=(8, 1, 12)) + 0.5 * rng.normal(size=(8, 4, 12)), parameters)
        for name in ("a", "b")
    }
    result = representation_similarity(
        inputs, responses=["a", "b"], models=[], measures=MEASURES, nulls=99, bootstrap=199, splits=2, seed=seed
    )
    rows = pd.DataFrame(result.rows).query("role == 'result'").set_index("measure")
    found = {f"p of {name}": rows.loc[name].p for name in MEASURES}
    found |= {f"{name} better": better(rows.loc[name]) for name in MEASURES}
    return found | {f"covers {name} 0": covers(rows.loc[name], 0.0) for name in BOUNDED}


BOUNDED = ("ssm", "cka", "rsa")
MEASURES = (*BOUNDED, "svcca")  # which has no interval


def _related_systems(seed: int) -> Mapping[str, float]:
    """Two populations that read the same five variables of sixteen stimuli."""
    inputs = related(np.random.default_rng(seed))
    result = representation_similarity(
        inputs, responses=["a", "b"], models=[], measures=MEASURES, nulls=19, bootstrap=199, splits=2, seed=seed
    )
    rows = pd.DataFrame(result.rows).query("role == 'result'").set_index("measure")
    found = {f"covers {name}": covers(rows.loc[name], truth) for name, truth in RELATED.items()}
    return found | {
        "svcca has an interval": float(np.isfinite(rows.loc["svcca", ["ci_low", "ci_high"]].astype(float)).any())
    }


def related(rng: np.random.Generator) -> dict[str, xr.Dataset]:
    """Responses of both populations, whose units stay while stimuli and noise are drawn."""
    read = np.random.default_rng(0)
    latent = rng.normal(size=(16, 1, 5))
    return {
        name: make_responses(
            latent @ read.normal(size=(5, 20)) + 2 * rng.normal(size=(16, 4, 20)), {"direction": directions(16)}
        )
        for name in ("a", "b")
    }


# Their mean scores, over 4,000 other seeds (standard error .002 or less).
RELATED = {"ssm": 0.665, "cka": 0.698, "rsa": 0.687}


def _dynamic_connectome(seed: int) -> Mapping[str, float]:
    """Four animals with the same ten neurons, none of which is coupled to any other."""
    rng = np.random.default_rng(seed)
    inputs = {"worms": activity([slow(240, 10, 6.0, rng) for _ in range(4)], names(10), rate_hz=2.0)}
    result = dynamic_connectome(
        inputs, activity=["worms"], ranks=[1, 2, 3], restarts=2, nulls=19, smooth_s=1.0, bin_s=4.0, seed=seed
    )
    rows = table(result, "measure", "group")
    return {
        "p of explained": rows.loc[("ntf_explained", "motifs")].p,
        "p of common time": rows.loc[("ntf_explained", "shifted_animals")].p,
        "p of modularity": rows.loc[("motif_modularity", "motifs")].p,
        "p of match of halves": rows.loc[("motif_match", "halves")].p,
        "p of communities of halves": rows.loc[("community_nmi", "halves")].p,
        "explained better": better(rows.loc[("ntf_explained", "motifs")]),
        "match of halves better": better(rows.loc[("motif_match", "halves")]),
        "communities of halves better": better(rows.loc[("community_nmi", "halves")]),
    }


def _activity_manifolds(seed: int) -> Mapping[str, float]:
    """Three animals of fifteen shared neurons with three latent variables of their own each."""
    rng = np.random.default_rng(seed)
    traces = [slow(300, 3, 8.0, rng) @ rng.normal(size=(3, 15)) + 0.2 * rng.normal(size=(300, 15)) for _ in range(3)]
    inputs = {"worms": activity(traces, names(15), rate_hz=3.0)}
    result = activity_manifolds(inputs, activity=["worms"], components=3, nulls=99, bootstrap=99, seed=seed)
    rows = table(result, "measure", "candidate", "group")
    found: dict[str, float] = {}
    # What unrelated animals of this size have on average, over 280 other triples (standard error .003).
    for measure, mean in (("manifold_procrustes", MEAN_PROCRUSTES), ("manifold_cca", MEAN_CCA)):
        found[f"p of {measure}"] = rows.loc[(measure, "w0", "w1")].p
        found[f"{measure} better"] = better(rows.loc[(measure, "w0", "w1")])
        found[f"p of mean {measure}"] = rows.loc[(measure, "all pairs", "mean")].p
        found[f"mean {measure} better"] = better(rows.loc[(measure, "all pairs", "mean")])
        found[f"covers mean {measure}"] = covers(rows.loc[(measure, "all pairs", "mean")], mean)
    return found


MEAN_PROCRUSTES, MEAN_CCA = 0.358, 0.387


def _model_recovery(seed: int) -> Mapping[str, float]:
    """Three relations of which a measure knows nothing, and three it knows a little of."""
    rng = np.random.default_rng(seed)
    truths = ("same", "middle", "unrelated")
    blind = rng.normal(size=(3, 10))
    seeing = rng.normal(size=(3, 10)) + np.array([[1.0], [0.5], [0.0]])
    rows: list[dict[str, object]] = []
    for name, score in (("blind", blind), ("seeing", seeing)):
        rows += recovery._hit_rates(name, truths, score, 99, rng)
        rows += recovery._areas(name, truths, score, 99, rng)
    found = pd.DataFrame(rows).query("role == 'result'").set_index(["candidate", "measure", "reference"])
    hit, everything = (found.loc[("blind", "recovery_hit_rate", truth)] for truth in ("middle", recovery.ALL))
    return {
        "p of hit rate": hit.p,
        "p of all hit rates": everything.p,
        "p of change": found.loc[("blind", "recovery_sees_change", "unrelated")].p,
        "hit rate better": better(hit),
        "all hit rates better": better(everything),
        "change better": better(found.loc[("blind", "recovery_sees_change", "unrelated")]),
        # Leaving a pair out of its own mean makes chance a little less than a third.
        "covers hit rate .31": covers(hit, 0.31),
        "covers all hit rates .31": covers(everything, 0.31),
        "covers probability .5": covers(found.loc[("blind", "recovery_sees_change", "unrelated")], 0.5),
        # P(N(1, 1) > N(0, 1)) = Phi(1 / sqrt 2)
        "covers probability .76": covers(found.loc[("seeing", "recovery_sees_change", "unrelated")], 0.7602),
    }


def _tools(seed: int) -> Mapping[str, float]:
    """Intervals and tests that kinds are made of, at few units."""
    rng = np.random.default_rng(seed)
    few, skewed = rng.normal(size=5), rng.normal(size=10)
    cluster = np.repeat(np.arange(6), 20)
    label = rng.random(120) < 0.4
    score = rng.normal(size=120) + label + 0.5 * rng.normal(size=6)[cluster]
    a, b = rng.integers(0, 3, 20), rng.integers(0, 3, 20)

    def mean(x: np.ndarray) -> st.Interval:
        return st.bootstrap(lambda values: float(values.mean()), x, seed=seed, n=199)

    def holds(found: st.Interval, truth: float) -> float:
        return float(found.low <= truth <= found.high)

    x, y = rng.normal(size=28), rng.normal(size=28)
    return {
        "covers mean of 5": holds(mean(few), 0.0),
        "covers mean of 10": holds(mean(skewed), 0.0),
        "covers correlation of 15": holds(
            st.bootstrap(lambda u, v: float(np.corrcoef(u, v)[0, 1]), *rng.normal(size=(2, 15)), seed=seed, n=199), 0.0
        ),
        "covers AUC of 6 clusters": holds(roc.cluster_bootstrap(score, label, cluster, seed=seed, n=199), 0.7364),
        "p of RDMs": rsa_permutation(x, y, n=99, seed=seed).p,
        "p of partitions": st.permutation_p(partitions.nmi(a, b), partitions.chance_nmi([(a, b)], 99, seed)),
        "p above 0 of 5": mean(rng.normal(size=5)).p_above(),
        "p above 0 of 12": mean(rng.normal(size=12)).p_above(),
    }


SHARED_MEAN = "hits of a relation share its mean score, and the interval allows for the most that can do"

# Efron & Stein 1981, Ann. Stat. 9:586: the variance of a jackknife is too large on average, by 4 here, where a pair's similarity
# is its own. Of three animals nothing tells that from what each animal brings into both of its pairs.
PAIRS_ALONE = (
    "an animal that is left out takes both its pairs along, whose similarities are independent if nothing is shared"
)

STIMULI_TWICE = (
    "a dissimilarity is resampled (or left out) with both its stimuli, which is too much where nothing is shared"
)

STUDIES = [
    Study(
        "representation_similarity",
        _representation_similarity,
        {f"p of {name}": LEVEL for name in MEASURES}
        | {f"covers {name} 0": wide(STIMULI_TWICE) for name in BOUNDED}
        | {f"{name} better": FALSE_BETTER for name in MEASURES},
        few=6,
    ),
    Study(
        "related_systems",
        _related_systems,
        {f"covers {name}": wide(STIMULI_TWICE) for name in BOUNDED}
        | {"svcca has an interval": Band(0.0, 0.0, reason="nothing that was tried holds its mean as often as it says")},
        few=6,
    ),
    Study(
        "dynamic_connectome",
        _dynamic_connectome,
        dict.fromkeys(["p of explained", "p of common time", "p of modularity"], LEVEL)
        | dict.fromkeys(["p of match of halves", "p of communities of halves"], LEVEL)
        | dict.fromkeys(["explained better", "match of halves better", "communities of halves better"], FALSE_BETTER),
        few=3,
        # unrelated animals often have one community only, in one half at least: no agreement is defined
        undefined={"p of communities of halves": 0.9},
    ),
    Study(
        "activity_manifolds",
        _activity_manifolds,
        dict.fromkeys([f"p of {k}manifold_{m}" for k in ("", "mean ") for m in ("procrustes", "cca")], LEVEL)
        | dict.fromkeys([f"covers mean manifold_{m}" for m in ("procrustes", "cca")], wide(PAIRS_ALONE))
        | dict.fromkeys(
            [f"{k}manifold_{m} better" for k in ("", "mean ") for m in ("procrustes", "cca")], FALSE_BETTER
        ),
        few=5,
    ),
    Study(
        "model_recovery",
        _model_recovery,
        dict.fromkeys(["p of hit rate", "p of all hit rates"], conservative(SHARED_MEAN))
        | {"p of change": LEVEL}
        | dict.fromkeys(["covers hit rate .31", "covers all hit rates .31"], wide(SHARED_MEAN))
        | dict.fromkeys(["covers probability .5", "covers probability .76"], COVERAGE)
        | dict.fromkeys(["hit rate better", "all hit rates better", "change better"], FALSE_BETTER),
    ),
    Study(
        "tools",
        _tools,
        {f"covers {name}": COVERAGE for name in ("mean of 5", "mean of 10", "correlation of 15")}
        | {f"covers {name}": COVERAGE for name in ("AUC of 6 clusters",)}
        | {f"p {name}": LEVEL for name in ("of RDMs", "above 0 of 5", "above 0 of 12")}
        | {"p of partitions": conservative("agreement of small partitions takes few values")},
    ),
]
