"""The result of a study: statistics of all its jobs on named axes, held against the reference, with laws and what explains them."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry import stores
from allometry.compare.inputs.spike_trains import EVERYONE
from allometry.models.catalogue.records import FULL
from allometry.numerics.rounding import DIGITS, rounded
from allometry.scale.axes import AXES, Axes, axes_of, grid, values_of
from allometry.scale.costs import cost_of, cost_table
from allometry.scale.extents import extents_of
from allometry.scale.findings import space
from allometry.scale.findings.deviations import Means, deviations, means, verdicts
from allometry.scale.findings.tables import calibration_table, explanation_table, law_table, laws_of
from allometry.scale.jobs import Job, jobs, reducible, reference_size
from allometry.scale.jobs import calibrations as calibration_jobs
from allometry.scale.settled import settled_by_size
from allometry.scale.simulations import read_json
from allometry.scale.statistics.records import STATISTICS
from allometry.stores.storage.file_manifest import write_file_manifest
from allometry.stores.storage.manifest import sources_read

#: Significant digits of what a search or an iteration ends in.
FEWER_DIGITS = {"/tables/laws": 4, "/tables/exponents": 4, "/tables/mean_field": 7}
SEED_AXIS = AXES.index("seed")


def write_study(
    study: Mapping[str, Any],
    name: str,
    out: str | Path,
    *,
    statistics: Sequence[str | Path],
    spikes: Mapping[str, Mapping[str, str | Path]],
    calibrations: Sequence[str | Path] = (),
    jobs_manifest: str | Path | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Gather what the jobs of a study found, and write its Scaling store with its costs beside it.

    Parameters
    ----------
    study : mapping
        The configured study as plain values.
    name : str
        Its name.
    out : path
        Store to write; `{name}.costs.json` appears beside it.
    statistics : sequence of path
        What `measure_job` wrote, `{job}.statistics.json` of every job.
    spikes : mapping of str to mapping of str to path
        Spikes stores of every job by condition, whose manifests say what they cost.
    calibrations : sequence of path
        What `calibrate_job` wrote, `{calibration}.calibration.json` of every calibration.
    jobs_manifest : path, optional
        `manifest.json` to write in the folder of `statistics` and `calibrations`, with their checksums.
    provenance : mapping, optional
        For the manifest.
    """
    started, all_jobs, asked, out = time.time(), jobs(study), calibration_jobs(study), Path(out)
    found = _by_job(statistics, "statistics", [job.name for job in all_jobs])
    described = _by_job(calibrations, "calibration", [job.name for job in asked])
    axes = axes_of(study, found)
    reference = reference_size(study)
    extents = extents_of(study, axes.sizes, axes.schemes)
    value = values_of(axes, all_jobs, found)
    over_seeds = means(value, SEED_AXIS)
    at = axes.sizes.index(reference)
    against = _at_size(over_seeds, at)
    deviation = deviations(over_seeds, against)
    verdict = verdicts(deviation, study["tolerance"])
    verdict[at] = np.where(np.isfinite(over_seeds.mean[at]), "reference", "")
    for k, statistic in enumerate(axes.statistics):
        if STATISTICS[statistic].grows:
            verdict[:, :, :, k] = ""
    neurons = grid(axes, extents.neurons, np.int64)
    laws = laws_of(study, axes, value, neurons, at)
    modelled = [population for population in axes.populations if population != EVERYONE or len(axes.populations) == 1]
    theory = extents.theory(modelled, _reference_rates(axes, against, modelled))
    inputs = extents.inputs([name for name in modelled if name != EVERYONE], reference)
    tables = {
        "laws": law_table(laws),
        "explanations": explanation_table(study, axes, deviation, verdict, laws, theory, inputs, reference),
    }
    if inputs is not None:
        tables["inputs"] = inputs
    if not isinstance(theory, str):
        tables["mean_field"] = theory
    known = space.theories(study, extents.networks, _rates_by_size(axes, over_seeds))
    in_space = {
        "correlation_course": space.course_table(axes, all_jobs, found),
        "correlation_theory": space.theory_table(axes, known),
        "exponents": space.exponent_table(axes, value, neurons, at, known),
    }
    tables |= {key: table for key, table in in_space.items() if table is not None}
    if described:
        tables["calibrations"] = calibration_table(asked, described)
    settled = settled_by_size(axes.sizes, axes.schemes, asked, described, all_jobs, found)
    tree = stores.scaling(
        dict(zip(AXES, vars(axes).values(), strict=True)),
        {
            "unit": [STATISTICS[name].unit for name in axes.statistics],
            "neurons": neurons,
            "synapses": grid(axes, extents.synapses, np.float64),
            "calibration": settled[0],
            "residual": settled[1],
            "value": value,
            "mean": over_seeds.mean,
            "ci_low": over_seeds.low,
            "ci_high": over_seeds.high,
            "deviation": deviation.value,
            "deviation_low": deviation.low,
            "deviation_high": deviation.high,
            "verdict": verdict,
        },
        tables,
        attrs=_attributes(study, name, reference, theory),
    )
    costs = _costs(axes, all_jobs, spikes, extents.neurons, reference)
    beside = {out.with_name(f"{out.stem}.costs.json"): (json.dumps(costs, indent=1, sort_keys=True) + "\n").encode()}
    read = {f"{job} {condition}": path for job, places in spikes.items() for condition, path in places.items()}
    provenance = {**(provenance or {}), **sources_read(read, out)}
    stores.write(_rounded(tree), out, overwrite=True, provenance=provenance, beside=beside)
    if jobs_manifest is not None:
        write_file_manifest(
            jobs_manifest, map(Path, (*statistics, *calibrations)), provenance=provenance, started=started
        )


def _rounded(tree: xr.DataTree) -> xr.DataTree:
    """The same to the digits that do not depend on the CPU: fewer of what a search or an iteration ends in."""
    groups = {node.path: node.to_dataset(inherit=False) for node in tree.subtree}
    return xr.DataTree.from_dict(
        {path: rounded(group, FEWER_DIGITS.get(path, DIGITS)) for path, group in groups.items()}
    )


def _by_job(paths: Sequence[str | Path], what: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the jobs wrote, by their names."""
    by_name = {Path(path).name.removesuffix(f".{what}.json"): path for path in paths}
    return {name: read_json(by_name[name]) for name in names}


def _at_size(found: Means, at: int) -> Means:
    here = slice(at, at + 1)
    return Means(found.mean[here], found.low[here], found.high[here], found.variance[here], found.n[here])


def _reference_rates(axes: Axes, against: Means, modelled: Sequence[str]) -> dict[str, dict[str, float]]:
    """Measured rates of the reference under its first condition, by scheme; empty where rates are not among the statistics."""
    if "rate" not in axes.statistics:
        return {}
    mean = against.mean[0, :, 0, axes.statistics.index("rate")]
    return {
        scheme: {name: float(mean[j, axes.populations.index(name)]) for name in modelled}
        for j, scheme in enumerate(axes.schemes)
    }


def _rates_by_size(axes: Axes, found: Means) -> dict[tuple[float, str], float]:
    """Measured rates under the first condition of the population that a theory of space describes; empty where there are none."""
    if "rate" not in axes.statistics or space.THEORY_OF not in axes.populations:
        return {}
    mean = found.mean[:, :, 0, axes.statistics.index("rate"), axes.populations.index(space.THEORY_OF)]
    return {
        (size, scheme): float(mean[i, j]) for i, size in enumerate(axes.sizes) for j, scheme in enumerate(axes.schemes)
    }


def _costs(
    axes: Axes,
    all_jobs: Sequence[Job],
    spikes: Mapping[str, Mapping[str, str | Path]],
    neurons: Mapping[tuple[float, str], int],
    reference: float,
) -> dict[str, Any]:
    costs: dict[tuple[float, str], list[dict[str, Any]]] = {key: [] for key in neurons}
    for job in all_jobs:
        cost = cost_of(list(spikes[job.name].values()))
        for scheme in job.schemes:
            costs[job.size, scheme].append(cost)
    return cost_table(costs, neurons, axes.schemes, reference)


def _attributes(study: Mapping[str, Any], name: str, reference: float, theory: xr.Dataset | str) -> dict[str, Any]:
    model = reducible(study["model"])
    derived = {
        "reference": f"size {reference:g}"
        + ("" if reference == FULL else ", the one of most neurons here: the model as published is not among the sizes")
        if study["reference"] is None
        else f"size {reference:g}, as configured",
        "verdict": f"preserved: the 95 % interval of the relative deviation is within {100 * study['tolerance']:g} %; changed: it "
        "is outside; undetermined: neither, or there is no interval",
        "ci": "Student's t over seeds; of deviations Welch's, with the variance of the ratio by its linear terms",
        "laws": "of the deviation from the reference against the number of neurons, on values of single seeds, with its sign, and of "
        "correlations at a distance themselves; "
        "named where every simpler law is at least 2 units of AICc worse; amplitude in the unit of the statistic, at the "
        "number of neurons of the reference",
        "scheme": "; ".join(f"{scheme}: {model.schemes[scheme]}" for scheme in study["schemes"]),
        **{f"statistic {name}": _described(name) for name in study["statistics"]},
        "mean_field": theory
        if isinstance(theory, str)
        else "rate_hz: self-consistent; all else at the measured rates of the reference (models.mean_field)",
    }
    parameters = {key: value for key, value in study.items() if key != "runs"}
    return {
        "title": f"Scaling of {study['model']}: {name}",
        "species": "none",
        "citation": model.source,
        "licence": "none",
        "source": {},
        "parameters": parameters,
        "derived": derived,
        "model": study["model"],
        "reference": reference,
        "tolerance": float(study["tolerance"]),
    }


def _described(name: str) -> str:
    entry = STATISTICS[name]
    return f"{entry.description} ({entry.unit})" + (f"; grows {entry.grows}" if entry.grows else "")
