"""Comparison of measures with known truths: which measure can tell which relation between two systems?

The rows are what the confusion matrix says of each (measure under test, relation), with interval, chance and p; the matrices
are curves. Both systems are generated (`recovery`, `connectomes`), or representations drawn from those of simulated networks.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
import xarray as xr

from allometry.compare.inference import verdict
from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import Interval, interval, null_interval, permutation_p, wilson
from allometry.compare.inputs.design import populations
from allometry.compare.kinds.model_recovery import connectomes, influences, recovery
from allometry.compare.options.model_recovery import ModelRecovery
from allometry.compare.records.kinds import comparison
from allometry.compare.records.measures import SHARE, measure
from allometry.compare.result import Result, row, with_fdr
from allometry.errors import ComparisonError

ALL = "all relations"


@dataclass(frozen=True)
class Domain:
    """Measures and relations of one kind of data.

    The first relation is the closest, the last is none; `registered` names the registry's entries that a measure stands for.
    """

    title: str
    measures: Mapping[str, recovery.Measure]
    truths: Mapping[str, recovery.Relation]
    registered: Mapping[str, tuple[str, ...]]


DOMAINS: Mapping[str, Domain] = {
    "representations": Domain(
        "Which measure of representations can tell which relation",
        recovery.MEASURES,
        recovery.TRUTHS,
        {
            "rsa_correlation": ("rsa", "ssm"),
            "rsa_euclidean": ("rsa",),
            "trsa": ("geo_topological",),
            **{name: (name,) for name in ("cka", "procrustes", "svcca", "pwcca", "match_units")},
        },
    ),
    "connectomes": Domain(
        "Which measure of connectomes can tell which relation",
        connectomes.MEASURES,
        connectomes.TRUTHS,
        {name: (name,) for name in connectomes.MEASURES},
    ),
    "influences": Domain(
        "Which measure of function given structure can tell which relation",
        influences.MEASURES,
        influences.TRUTHS,
        {name: (name,) for name in influences.MEASURES}
        | {"pair_rank_correlation": ("structure_bold_correlation", "activity_structure_correlation")},
    ),
}


@measure(
    name="recovery_hit_rate",
    version="2",
    inputs="pairs of systems of known relation",
    invariances="monotonic transformation of the measure, nearly",
    use="is a pair attributed to its own relation by the score alone?",
    reference="Schütt et al. 2023, eLife 12:e82566 (model recovery); nearest mean score, leave-one-out",
    scale=SHARE,
    cost="memory",
)
@measure(
    name="recovery_sees_change",
    version="1",
    inputs="pairs of systems of known relation",
    invariances="monotonic transformation of the measure",
    use="does a measure score a changed copy lower than an identical one?",
    reference="Kornblith et al. 2019, ICML 97:3519 (which transformations a similarity should not see)",
    scale=SHARE,
    cost="memory",
)
@measure(
    name="recovery_tells_from_unrelated",
    version="1",
    inputs="pairs of systems of known relation",
    invariances="monotonic transformation of the measure",
    use="does a measure score a related system higher than an unrelated one?",
    reference="Kornblith et al. 2019, ICML 97:3519 (sanity check by matching)",
    scale=SHARE,
    cost="memory",
)
@comparison(ModelRecovery)
def model_recovery(inputs: Mapping[str, Any], options: ModelRecovery) -> Result:
    """Score pairs of known relation with every measure, and see which relations each can tell apart.

    Parameters
    ----------
    inputs : mapping
        Responses of the simulated runs by name; empty where representations are generated.
    options : ModelRecovery
        What is compared, and how.

    Returns
    -------
    Result
        `recovery_hit_rate`: share of the pairs of a relation that are attributed to it by the nearest mean score.
        `recovery_sees_change`: probability that a pair of the relation scores lower than one of the closest relation.
        `recovery_tells_from_unrelated`: probability that it scores higher than an unrelated pair.
    """
    if set(inputs) != set(options.simulated):
        raise ComparisonError(
            f"model recovery reads no stores but those of `simulated`, and was given {', '.join(inputs) or 'none'}",
            expected=", ".join(options.simulated) or "generated data only",
        )
    if options.of not in DOMAINS:
        raise ComparisonError(
            f"no relations are known of {options.of!r}", where="of", expected="one of " + ", ".join(DOMAINS)
        )
    domain = DOMAINS[options.of]
    sources = _populations(inputs)
    population = (
        recovery.Population(options.items, options.units, noise=options.noise, sources=tuple(sources.values()))
        if options.of == "representations"
        else connectomes.Wiring(n_neurons=options.items, noise=options.noise)
    )
    found = recovery.recover(domain.measures, domain.truths, population, options.draws, options.seed)
    rng = np.random.default_rng([options.seed, 1])
    rows = [
        entry
        for name, score in zip(found.measures, found.score)
        for entry in [
            *_hit_rates(name, found.truths, score, options.nulls, rng),
            *_areas(name, found.truths, score, options.nulls, rng),
        ]
    ]
    rows += [
        row(measure, "chance", truth, 0.5, role="baseline")
        for measure, anchor in (("recovery_sees_change", 0), ("recovery_tells_from_unrelated", -1))
        for truth in found.truths
        if truth != found.truths[anchor]
    ]
    what = (
        f"{options.items} stimuli x {options.units} units"
        if options.of == "representations"
        else f"{options.items} neurons"
    )
    return Result(
        title=domain.title,
        rows=with_fdr(rows),
        curves={"recovery": _matrices(found, domain)},
        derived={
            "generated": f"{options.draws} pairs per relation of {what}, noise {options.noise:g}; every measure scores the same pairs"
            + (f"; drawn from {len(sources)} simulated populations: {', '.join(sources)}" if sources else ""),
            "ci": f"shares: Wilson's interval and that of {options.nulls} resamples of the pairs, whichever is wider on each side (hits of "
            "a relation share its mean score); probabilities of a higher score: Newcombe's interval, over the pairs",
            "p": f"one-sided; shares: of the interval, against the mean of {options.nulls} permutations of the relations' names; "
            "probabilities: against those permutations",
            "verdict": "hit rates against the mean of the shuffled names, by their interval; probabilities against .5, the "
            "interval of the difference being the score less the central 95 % of the permutations",
            "p_fdr": "Benjamini-Hochberg over the rows of a measure",
            "chance": f"1 of {len(found.truths)} relations for hit rates (and measured, by permutation), .5 for probabilities",
        },
    )


def _populations(inputs: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Mean responses [stimuli, units] of every simulated population, without units that never change."""
    found = {}
    for name, store in inputs.items():
        for one in populations(name, store, fewest_repeats=1):
            means = one.means
            found[one.name] = means[:, np.ptp(means, axis=0) > 0]
    return found


def _hit_rates(
    name: str, truths: tuple[str, ...], score: FloatArray, nulls: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Hit rate of each relation and of all, with what shuffled names give as baseline.

    Hits of one relation share its mean score: they come and go together, which the interval of independent hits does not
    see; where every resample hits, on the other hand, only that one says how few the draws are. The interval holds both, and
    p is the larger of their two, so that it is below .025 where the interval lies above chance.
    """
    n, draws = score.shape
    null = np.array(
        [_hits(rng.permutation(score.ravel()).reshape(n, draws)) for _ in steps(range(nulls), "permutations")]
    )
    shares = _hits(score)
    resampled = recovery.resampled_hits(score, nulls, rng)
    rows = []
    for truth, share, replicates, guessed, count in [
        *zip(truths, shares, resampled.T, null.T, [draws] * n),
        (ALL, shares.mean(), resampled.mean(axis=1), null.mean(axis=1), n * draws),
    ]:
        chance = null_interval(guessed)
        found, p = hit_rate(float(share), count, interval(replicates, float(share), units=draws), chance.estimate)
        held = [verdict.over_value("shuffled names", found, chance.estimate)]
        rows.append(row("recovery_hit_rate", name, truth, found, p=p, n=count, baselines=held))
        rows.append(row("recovery_hit_rate", name, truth, chance, group="shuffled names", role="baseline", n=count))
    return rows


def hit_rate(share: float, count: int, resampled: Interval, chance: float) -> tuple[Interval, float]:
    """Interval of a hit rate that holds Wilson's of `count` hits and that of resampled draws; p of its being above chance."""
    alone = wilson(share, count)
    low, high = np.fmin(alone.low, max(resampled.low, 0.0)), np.fmax(alone.high, min(resampled.high, 1.0))
    # The score test, which Wilson's interval inverts.
    sd = np.sqrt(max(chance * (1 - chance), 1e-12) / count)
    p = np.fmax(scipy.stats.norm.sf((share - chance) / sd), resampled.p_above(chance))
    return Interval(share, float(low), float(high), method="Wilson and bootstrap"), float(p)


def _hits(score: FloatArray) -> FloatArray:
    """Share of draws that each relation gets of its own, `[truths]`."""
    return np.asarray(recovery.attributions(score).mean(axis=1).diagonal())


def _areas(
    name: str, truths: tuple[str, ...], score: FloatArray, nulls: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    levels = recovery.rounded(score)
    same, unrelated = levels[0], levels[-1]
    rows = []
    for truth, mine in zip(truths, levels):
        for asked, anchor, high, low in (
            ("recovery_sees_change", truths[0], same, mine),
            ("recovery_tells_from_unrelated", truths[-1], mine, unrelated),
        ):
            if truth == anchor:
                continue
            area, null = _higher(high, low, nulls, rng)
            bounds = newcombe(area, high.size, low.size)
            p, beyond = permutation_p(area, null), verdict.over_null("chance", area, null).difference
            held = verdict.Baseline("chance", 0.5, dataclasses.replace(beyond, estimate=area - 0.5))
            rows.append(row(asked, name, truth, bounds, p=p, n=high.size + low.size, baselines=[held]))
    return rows


def _higher(high: FloatArray, low: FloatArray, nulls: int, rng: np.random.Generator) -> tuple[float, FloatArray]:
    """Probability that one of `high` is above one of `low` (ties half), and what permutations of both give."""
    rank: Any = scipy.stats.rankdata(np.concatenate([high, low]))
    m, n = high.size, low.size
    null = rng.permuted(np.tile(rank, (nulls, 1)), axis=1)[:, :m].sum(axis=1)
    scale = m * (m + 1) / 2
    area = (rank[:m].sum() - scale) / (m * n)
    return float(area), (null - scale) / (m * n)


def newcombe(area: float, m: int, n: int, level: float = 0.95) -> Interval:
    """Interval of the probability that one of `m` scores is above one of `n`; not empty at 0 and 1, as resampling would be.

    The bounds are the values from which the estimate is z standard errors away, as in Wilson's interval of a share, with the
    variance of Hanley & McNeil made symmetric in m and n.

    References
    ----------
    Newcombe 2006, Stat. Med. 25:559, method 5.
    """
    z = float(scipy.stats.norm.ppf(0.5 + level / 2))
    extra = (m + n) / 2 - 1

    def variance(a: float) -> float:
        return a * (1 - a) * (1 + extra * ((1 - a) / (2 - a) + a / (1 + a))) / (m * n)

    def excess(a: float) -> float:
        return (a - area) ** 2 - z * z * variance(a)

    # 0 and 1 solve the equation for every estimate at that end, and are not the bounds
    tiny = 1e-9
    low = 0.0 if area < tiny else float(scipy.optimize.brentq(excess, 0.0, min(area, 1 - tiny)))
    high = 1.0 if area > 1 - tiny else float(scipy.optimize.brentq(excess, max(area, tiny), 1.0))
    return Interval(area, low, high, level, "Newcombe")


def _matrices(found: recovery.Recovery, domain: Domain) -> xr.Dataset:
    """Scores, confusion and separation of every measure; `registered` names the entries of the registry it stands for."""
    truths = list(found.truths)
    return xr.Dataset(
        {
            "score": (("measure", "truth", "draw"), found.score, {"units": "1"}),
            "confusion": (("measure", "truth", "attributed"), found.confusion, {"units": "1"}),
            "separation": (("measure", "truth", "other"), found.separation, {"units": "1"}),
            "registered": ("measure", [" ".join(domain.registered[name]) for name in found.measures]),
        },
        coords={"measure": list(found.measures), "truth": truths, "attributed": truths, "other": truths},
    )
