"""Structure against function in humans: fibres of the white matter given correlations of BOLD, subject by subject.

Only undirected pairs of different regions count. Region pairs that share a region are not independent, so that p comes
from permuting regions and intervals from resampling regions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import scipy
import xarray as xr
from numpy.typing import ArrayLike

from allometry import stores
from allometry.compare.inference import verdict
from allometry.compare.inference.arrays import array, varies
from allometry.compare.inference.ceilings import leave_one_out_ceiling
from allometry.compare.inference.labels import columns_as_rows, square
from allometry.compare.inference.statistics import Interval, interval, permutation_p
from allometry.compare.measures.graphs import dyads
from allometry.compare.measures.graphs.matrices import Floats
from allometry.compare.measures.graphs.structure import rank_correlation
from allometry.compare.options.structure_bold import StructureBold
from allometry.compare.records.kinds import comparison
from allometry.compare.records.measures import SHARE, measure
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import product

BINS = 20


@dataclass(frozen=True)
class Subject:
    """One subject: structural weights, fibre lengths and BOLD correlations [region, region] on shared regions.

    `silent` are the regions left out because their BOLD is NaN throughout or constant.
    """

    name: str
    structure: str
    recordings: str
    labels: list[str]
    weight: Floats
    length: Floats
    function: Floats
    silent: tuple[str, ...] = ()


def functional_connectivity(bold: ArrayLike) -> Floats:
    """Pearson correlation [regions, regions] of BOLD [time, regions].

    NaN for regions that are constant or NaN throughout; of the others, samples with NaN are left out.
    """
    data = np.asarray(bold, dtype=float)
    data = np.where(varies(data), data, np.nan)
    absent = ~np.isfinite(data).any(axis=0)
    complete = np.isfinite(data[:, ~absent]).all(axis=1)
    if absent.all() or complete.sum() < 3:
        count = 0 if absent.all() else complete.sum()
        raise ComparisonError(f"{count} complete samples of BOLD", expected="at least 3")
    data = np.where(absent, 0.0, data)[complete]
    moving = varies(data)
    data = data - data.mean(axis=0)
    norm = np.sqrt((data**2).sum(axis=0))
    scaled = data / np.where(moving, norm, np.nan)
    return np.clip(product(scaled.T, scaled), -1.0, 1.0)


@measure(
    name="structure_bold_correlation",
    version="2",
    inputs="structural [regions, regions], BOLD [time, regions]",
    invariances="monotonic transformation of either matrix",
    use="does the white matter predict functional connectivity?",
    reference="Honey et al. 2009, PNAS 106:2035",
    ceiling="correlation",
    scale=SHARE,
)
@measure(
    name="structure_bold_gain",
    version="1",
    inputs="structural [regions, regions], BOLD [time, regions]",
    invariances="monotonic transformation of either matrix",
    use="do connections tell more than the strengths of their regions?",
    reference="Honey et al. 2009, PNAS 106:2035",
    scale=SHARE,
)
def structure_bold_correlation(structure: ArrayLike, bold: ArrayLike) -> float:
    """Spearman correlation of structural weights [regions, regions] and BOLD correlations over all pairs of regions.

    Parameters
    ----------
    structure : array [regions, regions]
        Symmetric weights; 0 where no fibre was found.
    bold : array [time, regions]
        Signal of each region (Honey et al. 2009). Regions with labels are put in the order of the rows of `structure`.

    Returns
    -------
    float
        In [-1, 1]; NaN for fewer than 3 pairs, or where either is constant.

    Raises
    ------
    ComparisonError
        Shapes or labels that do not belong together, or fewer than 3 complete samples.
    """
    bold = array(columns_as_rows(bold, "bold", structure, "structure"), "bold", 2, finite=False)
    weight = array(square(structure, "structure"), "structure", 2, finite=False)
    if weight.shape != (bold.shape[1],) * 2:
        raise ComparisonError(
            f"structure of shape {weight.shape} and BOLD of {bold.shape[1]} regions",
            where="structure, bold",
            expected="[regions, regions] and [time, regions]",
        )
    upper = np.triu_indices(len(weight), 1)
    return rank_correlation(weight[upper], functional_connectivity(bold)[upper])


@comparison(StructureBold)
def structure_bold(inputs: Mapping[str, xr.Dataset | xr.DataTree], options: StructureBold) -> Result:
    """Compare the structural connectome of every subject with the correlations of its own BOLD.

    Parameters
    ----------
    inputs : mapping
        Activity and Connectome stores by name.
    options : StructureBold
        What is compared, and how.

    Returns
    -------
    Result
        Rows `structure_bold_correlation` per subject (group own; baselines other_subjects, fibre_path, strength;
        fibre_length of the pairs with fibres) and their mean (interval over subjects), and `structure_bold_gain` of the
        connections over region strengths alone; curves `bold_by_weight` and `structure_bold_matrix`.
    """
    subjects = _subjects(inputs, options.activity, options.structure)
    upper = np.triu_indices(len(subjects[0].labels), 1)
    function = np.array([s.function[upper] for s in subjects])
    weight = np.array([s.weight[upper] for s in subjects])
    bounds = _ceiling(function)
    rows: list[dict[str, Any]] = []
    means: dict[str, Floats] = {}
    # every subject's structure against every subject's function: is one's own better than another's?
    table = np.array([[rank_correlation(w, f) for f in function] for w in weight])
    for i, s in enumerate(subjects):
        common: dict[str, Any] = {"ceiling": bounds[i], "rule": "correlation", "n": upper[0].size}
        name = s.structure
        reference = s.recordings
        own = dyads.bootstrap(s.weight, s.function, options.bootstrap, options.seed)
        predictors = _simpler(i, subjects, options.bootstrap, options.seed)
        held = [verdict.same_resamples(group, own, value) for group, value in predictors.items()]
        for group, value in (("own", own), *predictors.items()):
            # a subject can lack a predictor that others have
            means.setdefault(group, np.full(len(subjects), np.nan))[i] = value.estimate
        rows.append(
            row(
                "structure_bold_correlation",
                name,
                reference,
                own,
                group="own",
                p=permutation_p(own.estimate, dyads.null(s.weight, s.function, options.nulls, options.seed)),
                baselines=held,
                **common,
            )
        )
        near = -s.length[upper]
        rows += [
            row("structure_bold_correlation", name, reference, value, group=group, role="baseline", **common)
            for group, value in predictors.items()
        ]
        rows.append(
            row(
                "structure_bold_correlation",
                name,
                reference,
                rank_correlation(near, s.function[upper]),
                group="fibre_length",
                role="baseline",
                **{**common, "n": int(np.isfinite(near).sum())},
            )
        )
        strength = predictors["strength"]
        gain = interval(own.replicates - strength.replicates, own.estimate - strength.estimate, units=own.units)
        rows.append(
            row(
                "structure_bold_gain",
                name,
                reference,
                gain,
                group="over_strength",
                p=gain.p_above(),
                n=upper[0].size,
                baselines=[verdict.same_resamples("strength", own, strength)],
            )
        )
    everyone = ", ".join(dict.fromkeys(s.recordings for s in subjects))
    rows.append(
        row(
            "structure_bold_correlation",
            "mean over subjects",
            everyone,
            _subject_bootstrap(means["own"], options.bootstrap, options.seed),
            group="mean",
            baselines=[verdict.over_units(key, means["own"], values) for key, values in means.items() if key != "own"],
            ceiling=(float(np.mean([low for low, _ in bounds])), float(np.mean([high for _, high in bounds]))),
            rule="correlation",
            n=len(subjects),
        )
    )
    rows += [
        row(
            "structure_bold_correlation",
            "mean over subjects",
            everyone,
            _subject_bootstrap(values, options.bootstrap, options.seed),
            group=f"mean {group}",
            role="baseline",
            n=len(subjects),
        )
        for group, values in means.items()
        if group != "own"
    ]
    names = [s.name for s in subjects]
    edges, mean, spread, count = _by_weight(weight, function)
    coords = {"bin": ("bin", np.arange(len(edges))), "weight": ("bin", edges)}
    matrix_coords = {"structure": ("structure", names), "function": ("function", names)}
    return Result(
        title="Human structural connectivity against correlation of BOLD",
        rows=with_fdr(rows),
        curves={
            "bold_by_weight": curve(("bin",), coords, correlation=mean, sd=spread, pairs=count),
            "structure_bold_matrix": curve(("structure", "function"), matrix_coords, correlation=table),
        },
        derived={
            "score": "Spearman correlation over all pairs of regions of structural weight and Pearson correlation of BOLD "
            "(no global signal regression, no filter)",
            "p": f"one-sided, against {options.nulls} permutations of the regions of the structural matrix",
            "other_subjects": "mean over the other subjects of what their structure tells of this subject's BOLD",
            "fibre_path": "minus the length of the shortest way along fibres, defined for all pairs; fibre_length, that of the "
            "fibres of a pair, only for pairs that have some: it is not judged against",
            "verdict": "own structure against the strongest of other_subjects, fibre_path and strength, by the same resamples of "
            "the regions; of the mean by Student's t of the paired differences over subjects",
            "strength": "product of the two regions' total weights: what a region's strength says without its connections",
            "ci": f"{options.bootstrap} resamples of the regions, ranks kept (percentiles); of the subjects for the mean (Student's t "
            "below 10 subjects, none below 3)",
            "ceiling_low": "rank correlation of the subject's BOLD correlations with the mean of the others",
            "ceiling_high": "the same with the mean of all subjects, including the subject",
            "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
            "regions_left_out": "; ".join(f"{s.name}: {', '.join(s.silent)}" for s in subjects if s.silent)
            or "none (those whose BOLD is NaN throughout or constant would be)",
        },
    )


def _simpler(index: int, subjects: Sequence[Subject], bootstrap: int, seed: int) -> dict[str, Interval]:
    """What tells a subject's BOLD without its connections, on the same pairs and the same resamples of the regions."""
    own = subjects[index]
    total = own.weight.sum(axis=0)
    found = {"strength": dyads.bootstrap(np.outer(total, total), own.function, bootstrap, seed)}
    path = _fibre_path(own.length)
    if path is not None:
        found["fibre_path"] = dyads.bootstrap(-path, own.function, bootstrap, seed)
    others = [dyads.bootstrap(s.weight, own.function, bootstrap, seed) for k, s in enumerate(subjects) if k != index]
    if others and not any(other.undefined for other in others):
        estimate = float(np.mean([other.estimate for other in others]))
        replicates = np.mean([other.replicates for other in others], axis=0)
        found["other_subjects"] = interval(replicates, estimate, units=others[0].units, bounds=(-1.0, 1.0))
    return found


def _fibre_path(length: Floats) -> Floats | None:
    """Shortest way along fibres [region, region], farther than any other where there is none; None without lengths."""
    if not np.isfinite(length).any():
        return None
    either = np.fmin(length, length.T)
    path: Floats = scipy.sparse.csgraph.shortest_path(np.where(np.isfinite(either), either, 0.0), directed=False)
    far = path[np.isfinite(path)].max()
    return np.where(np.isfinite(path), path, far + 1.0)


def _ceiling(function: Floats) -> list[tuple[float, float]]:
    if len(function) < 2:
        return [(np.nan, np.nan)] * len(function)
    return [(float(low), float(high)) for low, high in zip(*leave_one_out_ceiling(function, "spearman"))]


def _subjects(
    inputs: Mapping[str, xr.Dataset | xr.DataTree], activity: Sequence[str], structure: Sequence[str]
) -> list[Subject]:
    recordings: dict[str, tuple[str, xr.Dataset]] = {}
    for name in activity:
        for key, part in stores.split(cast(xr.DataTree, inputs[name])).items():
            if key in recordings:
                raise ComparisonError(
                    f"subject {key} has recordings in two stores",
                    where=f"{recordings[key][0]} and {name}",
                    expected="one recording per subject",
                    do="compare each activity store by itself",
                )
            recordings[key] = (name, part)
    found = []
    for name in structure:
        subject = str(stores.attribute(inputs[name], "parameters", {}).get("subject") or name)
        if subject not in recordings:
            raise ComparisonError(
                f"no recording of subject {subject}",
                where=f"{name}, recordings of {', '.join(activity)}",
                expected=f"a recording named {subject}; there are {', '.join(sorted(recordings)[:10])}",
                do="leave the connectome out, or add the recording",
            )
        found.append(_subject(name, subject, cast(xr.Dataset, inputs[name]), *recordings[subject]))
    shared = sorted(set.intersection(*(set(s.labels) for s in found)))
    if len(shared) < 10:
        raise ComparisonError(f"the subjects share {len(shared)} regions", expected="at least 10 of one atlas")
    return [_restrict(s, shared) for s in found]


def _subject(name: str, subject: str, connectome: xr.Dataset, recordings: str, recording: xr.Dataset) -> Subject:
    labels, weight = stores.to_dense(connectome, "structural")
    length = np.full(weight.shape, np.nan)
    if "length" in connectome:
        _, length = stores.to_dense(connectome, "structural", "length")
        length = np.where(weight > 0, length, np.nan)
    regions = recording["neuron"].values.tolist()
    shared = [label for label in labels.tolist() if label in set(regions)]
    if not shared:
        raise ComparisonError("structure and BOLD share no region", where=name, expected="one atlas for both")
    bold = recording["trace"].values[:, [regions.index(label) for label in shared]]
    function = functional_connectivity(bold)
    rows = [labels.tolist().index(label) for label in shared]
    pick = np.ix_(rows, rows)
    kept = Subject(subject, name, recordings, shared, weight[pick].astype(float), length[pick].astype(float), function)
    moving = np.isfinite(np.diag(function))
    silent = tuple(label for label, moves in zip(shared, moving) if not moves)
    return replace(_restrict(kept, [label for label in shared if label not in silent]), silent=silent)


def _restrict(subject: Subject, labels: Sequence[str]) -> Subject:
    rows = [subject.labels.index(label) for label in labels]
    pick = np.ix_(rows, rows)
    return replace(
        subject,
        labels=list(labels),
        weight=subject.weight[pick],
        length=subject.length[pick],
        function=subject.function[pick],
    )


def _subject_bootstrap(scores: Floats, n: int, seed: int) -> Interval:
    scores = scores[np.isfinite(scores)]
    if not scores.size:
        return Interval(np.nan, np.nan, np.nan)
    draws = np.random.default_rng(seed).integers(0, len(scores), (n, len(scores)))
    return interval(scores[draws].mean(axis=1), float(scores.mean()), units=len(scores))


def _by_weight(weight: Floats, function: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean BOLD correlation of pairs without fibres (first) and in bins of equal count of the weight."""
    w, f = weight.ravel(), function.ravel()
    zero = w == 0
    order = np.argsort(w[~zero], kind="stable")
    groups = [g for g in np.array_split(np.flatnonzero(~zero)[order], BINS) if g.size]
    if zero.any():
        groups.insert(0, np.flatnonzero(zero))
    return (
        np.array([np.median(w[g]) for g in groups]),
        np.array([f[g].mean() for g in groups]),
        np.array([f[g].std() for g in groups]),
        np.array([g.size for g in groups], dtype=float),
    )
