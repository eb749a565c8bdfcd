"""Kinds that describe populations and read states from them: decoding, tuning, correlations, dimension; across animals."""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
from sklearn import config_context

from allometry import stores as store
from allometry.compare.inputs.design import populations
from allometry.compare.kinds.activity_manifolds import activity_manifolds, state_decoding
from allometry.compare.kinds.activity_manifolds import comparison as manifolds
from allometry.compare.kinds.population_code.description import Described
from allometry.compare.result import Result
from allometry.stores.summaries.activity import KATO_WINDOW
from tests.compare.calibration.connectomes import table
from tests.compare.calibration.harness import COVERAGE, FALSE_BETTER, LEVEL, Study, better, conservative, covers, wide
from tests.compare.calibration.stores import names, slow
from tests.compare.conftest import ATTRS
from tests.compare.responses import directions, make_responses

STIMULI, REPEATS, UNITS = 8, 6, 12
NULLS = 39  # p of both tails can be .05 exactly
COMMON = 0.2  # share of the variance of noise that all units have in common: their noise correlation


def _described(values: np.ndarray, seed: int) -> pd.DataFrame:
    """Rows of `population_code` without its curves, by measure and group."""
    (population,) = populations("v1", make_responses(values, {"direction": directions(STIMULI)}), by=["direction"])
    rows: list[dict[str, Any]] = []
    described = Described(population, rows, NULLS, 10, seed)
    described.decoding(["correlation"], True)
    described.selectivity("rectify")
    described.correlations(UNITS)
    return table(Result("", rows, {}, {}), "measure", "group")


def _untuned(seed: int) -> Mapping[str, float]:
    """Independent units that do not know the stimulus."""
    rng = np.random.default_rng(seed)
    rows = _described(2 + 0.5 * rng.normal(size=(STIMULI, REPEATS, UNITS)), seed)
    found = {f"p of {name}": rows.loc[(name, "")].p for name in UNTUNED}
    found["p of decoding"] = rows.loc[("decoding_within", "correlation")].p
    found["p of dimension of noise"] = rows.loc[("participation_ratio", "noise")].p
    # Any tuned unit is one too many where none is: at false discovery rate .05 that is once in 20 populations.
    found["p of a tuned unit"] = 0.0 if rows.loc[("tuned_share", "")].score > 0 else 1.0
    for name, key in JUDGED.items():
        found[f"{name} better"] = better(rows.loc[key])
    for name in ("signal_correlation", "noise_correlation", "reliability"):
        found[f"covers {name} 0"] = covers(rows.loc[(name, "")], 0.0)
    return found | {"covers decoding 1/8": covers(rows.loc[("decoding_within", "correlation")], 1 / STIMULI)}


UNTUNED = (
    "osi", "dsi", "circular_variance", "reliability", "signal_correlation", "noise_correlation", "spectral_radius",
)  # fmt: skip


JUDGED = {name: (name, "") for name in ("osi", "dsi", "reliability")} | {"decoding": ("decoding_within", "correlation")}


def tuned(seed: int) -> np.ndarray:
    """Responses of units whose tuning is drawn anew, mostly to orientations around 45 degrees, with noise in common."""
    rng = np.random.default_rng(seed)
    theta = np.deg2rad(directions(STIMULI))[:, None]
    depth = rng.gamma(2.0, 0.12, UNITS)
    preferred = np.pi / 4 + rng.normal(size=UNITS) * 0.6
    mean = 2 + depth * np.cos(2 * (theta - preferred))
    shared, own = rng.normal(size=(STIMULI, REPEATS, 1)), rng.normal(size=(STIMULI, REPEATS, UNITS))
    return mean[:, None] + 0.3 * (np.sqrt(COMMON) * shared + np.sqrt(1 - COMMON) * own)


def scores(seed: int) -> dict[str, float]:
    """Scores of one such population, of which `TUNED` are the means."""
    rows = _described(tuned(seed), seed)
    return {name: rows.loc[key].score for name, (key, _) in TUNED.items()}


def _tuned(seed: int) -> Mapping[str, float]:
    rows = _described(tuned(seed), seed)
    return {f"covers {name}": covers(rows.loc[key], mean) for name, (key, mean) in TUNED.items()}


# What such populations score on average, over 200 of them; of the noise it is known. All its covariances are
# equal: none is spread, and the spectral radius that a spread tells of is 0.
DIMENSION = UNITS / (1 + (UNITS - 1) * COMMON**2)
TUNED: dict[str, tuple[tuple[str, str], float]] = {
    "osi": (("osi", ""), 0.062),
    "dsi": (("dsi", ""), 0.0189),
    "tuned share": (("tuned_share", ""), 0.639),
    "reliability": (("reliability", ""), 0.596),
    "signal correlation": (("signal_correlation", ""), 0.086),
    "noise correlation": (("noise_correlation", ""), COMMON),
    "spectral radius": (("spectral_radius", ""), 0.0),
    "dimension of noise": (("participation_ratio", "noise"), DIMENSION),
    "dimension of signal": (("participation_ratio", "signal"), 2.33),
    "decoding": (("decoding_within", "correlation"), 0.395),
}


def states(samples: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """States [samples] in bouts of 10 to 30 samples, each another than the one before."""
    found = [int(rng.integers(count))]
    bouts: list[int] = []
    while len(bouts) < samples:
        bouts += [found[-1]] * int(rng.integers(10, 31))
        found.append((found[-1] + int(rng.integers(1, count))) % count)
    return np.array(bouts[:samples])


KINDS = ("neurons", "manifold")


def _state_decoding(seed: int) -> Mapping[str, float]:
    """Animals whose states have nothing to do with their activity, and a decoder that knows a little."""
    rng = np.random.default_rng(seed)
    recordings = []
    for k in range(2):
        trace = slow(700, 9, 4.0, rng).astype(np.float32)
        state = np.array(["forward", "reverse"], dtype=object)[states(700, 2, rng)]
        recordings.append(
            store.Recording(
                name=f"w{k}", time=np.arange(700) / 3, trace=trace, label=names(9), resampled=trace,
                extra={"state": (("time",), state, {})},
            )
        )  # fmt: skip
    tree = store.activity(recordings, names(9), 3.0, attrs=ATTRS, units="1")
    # checks of its arguments are half the time of a small discriminant
    with config_context(assume_finite=True, skip_parameter_validation=True):
        result = activity_manifolds(
            {"worms": tree}, activity=["worms"], components=2, folds=2, block_s=10.0, nulls=39, bootstrap=99, seed=seed
        )
        found = _means(rng, seed)
    rows = table(result, "measure", "candidate", "group").loc["state_decoding"]
    for kind in KINDS:
        one = rows.loc[("w0 to w1", kind)]
        found |= {f"p across by {kind}": one.p, f"covers across by {kind} 1/2": covers(one, 0.5)}
        found |= {f"p within by {kind}": rows.loc[("all pairs", f"within {kind}")].p}
        found |= {f"across by {kind} better": better(one)}
        found |= {f"mean by {kind} better": better(rows.loc[("all pairs", kind)])}
    return found | {"covers accuracy of a decoder": _decoder(rng, seed)}


def _means(rng: np.random.Generator, seed: int) -> dict[str, float]:
    """The mean over the pairs of three animals, without decoding within them, which takes a second or two."""
    animals = [(slow(450, 9, 4.0, rng), states(450, 2, rng)) for _ in range(3)]
    scores, null = {}, {}
    for i, j in permutations(range(3), 2):
        predicted = np.asarray(state_decoding.train(*animals[i]).predict(animals[j][0]), dtype=np.int64)
        scores[i, j] = state_decoding.balanced_accuracy(animals[j][1], predicted)
        null[i, j] = state_decoding.shift_null(animals[j][1], predicted, 39, seed + j, KATO_WINDOW)
    mean = manifolds.over_animals(scores, 3)
    return {
        "p of mean across": state_decoding.block_p(mean.estimate, manifolds.across_null(null)),
        "covers mean across 1/2": float(mean.low <= 0.5 <= mean.high),
    }


def _decoder(rng: np.random.Generator, seed: int) -> float:
    """Whether the interval over blocks of a tested animal holds the accuracy in a recording of it without end."""

    def recording(samples: int) -> tuple[np.ndarray, np.ndarray]:
        state = states(samples, 2, rng)
        return slow(samples, 3, 4.0, rng) + 0.5 * state[:, None], state

    model = state_decoding.train(*recording(400))
    features, state = recording(600)
    endless, states_of_it = recording(20_000)
    truth = state_decoding.balanced_accuracy(states_of_it, np.asarray(model.predict(endless), dtype=np.int64))
    pace = state_decoding.Pace.of(features, state, 30, KATO_WINDOW)
    predicted = np.asarray(model.predict(features), dtype=np.int64)
    found = state_decoding.block_interval(state, predicted, pace.length, 199, seed)
    return float(found.low <= truth <= found.high)


TWICE = "where units and trials are independent, leaving out either finds the same variance: it is counted twice"

STUDIES = [
    Study(
        "population_code",
        _untuned,
        {f"p of {name}": LEVEL for name in (*UNTUNED, "decoding", "dimension of noise")}
        | {"p of a tuned unit": conservative("195 shuffles of 12 units: their p are coarse beside .05 / 12")}
        | {f"covers {name} 0": wide(TWICE) for name in ("signal_correlation", "noise_correlation", "reliability")}
        | {"covers decoding 1/8": wide("blocks are taken to share what decoders of them share")}
        | {f"{name} better": FALSE_BETTER for name in JUDGED},
        few=3,
    ),
    Study(
        "population_code of tuned units",
        _tuned,
        {f"covers {name}": COVERAGE for name in TUNED}
        # .9944 where the whole variance is found twice
        | {f"covers {name}": wide(TWICE) for name in ("dsi", "noise correlation", "dimension of signal")}
        | {"covers spectral radius": wide("no radius is below the true one")},
        few=3,
    ),
    Study(
        "state_decoding",
        _state_decoding,
        {f"p {what} by {kind}": LEVEL for what in ("across", "within") for kind in KINDS}
        | {f"covers across by {kind} 1/2": COVERAGE for kind in KINDS}
        | {f"{what} by {kind} better": FALSE_BETTER for what in ("across", "mean") for kind in KINDS}
        | {"p of mean across": LEVEL, "covers accuracy of a decoder": COVERAGE}
        | {"covers mean across 1/2": wide("an animal that is left out takes pairs along whose scores are their own")},
        few=2,
        # recordings of few blocks, some of which are slower than most: nothing is left to train on
        undefined={f"p within by {kind}": 0.25 for kind in KINDS},
    ),
]
