"""Tables of a study beside its statistics: the laws of the deviations, what is kept and why not, and the calibrations."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from allometry.compare.inputs.spike_trains import EVERYONE
from allometry.scale.axes import Axes
from allometry.scale.findings import explanations
from allometry.scale.findings.deviations import Deviations
from allometry.scale.findings.explanations import Column
from allometry.scale.jobs import CalibrationJob, reducible
from allometry.scale.laws import UNDETERMINED, Law, deviation_law, value_law
from allometry.scale.simulations import ALL_CONDITIONS
from allometry.scale.statistics.records import STATISTICS

Key = tuple[str, str, str, str]
"""Scheme, condition, statistic and population of a law."""


def laws_of(study: Mapping[str, Any], axes: Axes, value: np.ndarray, neurons: np.ndarray, at: int) -> dict[Key, Law]:
    """Law of every deviation, or value, by scheme, condition, statistic and population; of calibrated schemes none."""
    model, found = reducible(study["model"]), {}
    for j, scheme in enumerate(axes.schemes):
        for c, condition in enumerate(axes.conditions):
            for s, statistic in enumerate(axes.statistics):
                for p, population in enumerate(axes.populations):
                    values = value[:, j, :, c, s, p]
                    if not np.isfinite(values).any() or STATISTICS[statistic].grows:
                        continue
                    if study["calibration"] and model.calibrate.get(scheme):
                        law = Law(UNDETERMINED, reason="every size is calibrated on its own: they are not pooled")
                    elif np.unique(neurons[:, j]).size < len(axes.sizes):
                        law = Law(UNDETERMINED, reason="two sizes have the same number of neurons")
                    elif STATISTICS[statistic].itself:
                        law = value_law(neurons[:, j], list(values), at)
                    else:
                        law = deviation_law(neurons[:, j], list(values), at)
                    found[scheme, condition, statistic, population] = law
    return found


def law_table(laws: Mapping[Key, Law]) -> xr.Dataset:
    """A row per law."""
    columns: dict[str, Any] = {}
    for k, axis in enumerate(("scheme_of", "condition_of", "statistic_of", "population_of")):
        columns[axis] = np.array([key[k] for key in laws], object)
    rows = list(laws.values())
    columns["law"] = np.array([law.name for law in rows], object)
    columns["reason"] = np.array([law.reason for law in rows], object)
    for field in ("amplitude", "exponent", "floor"):
        columns[field] = np.array([getattr(law, field) for law in rows], float)
    for field in ("exponent_low", "exponent_high"):
        bound = np.array([getattr(law, field) for law in rows], float)
        columns[field] = np.where(np.isfinite(bound), bound, np.nan)
    for name in ("constant", "power law", "power law with a floor"):
        columns[f"aicc_{name.replace(' ', '_')}"] = np.array([law.aicc.get(name, np.nan) for law in rows], float)
    for field in ("sizes", "n"):
        columns[field] = np.array([getattr(law, field) for law in rows], np.int64)
    return xr.Dataset({name: ("row", values) for name, values in columns.items()})


def explanation_table(
    study: Mapping[str, Any],
    axes: Axes,
    deviation: Deviations,
    verdict: np.ndarray,
    laws: Mapping[Key, Law],
    theory: xr.Dataset | str,
    inputs: xr.Dataset | None,
    reference: float,
) -> xr.Dataset:
    """A row per scheme, condition and statistic: where it is kept, and why it is not."""
    rows: list[tuple[str, str, str, str, str]] = []
    others = [i for i, size in enumerate(axes.sizes) if size != reference]
    # all neurons together say what their populations do already
    shown = [p for p, name in enumerate(axes.populations) if name != EVERYONE] or [0]
    calibrated = reducible(study["model"]).calibrate if study["calibration"] else {}
    for j, scheme in enumerate(axes.schemes):
        for c, condition in enumerate(axes.conditions):
            for s, statistic in enumerate(axes.statistics):
                if STATISTICS[statistic].grows or not others:
                    continue
                index = np.ix_(others, [j], [c], [s], shown)
                if not (verdict[:, j, c, s][:, shown] != "").any():
                    continue
                part = [getattr(deviation, field)[index][:, 0, 0, 0] for field in ("value", "low", "high", "degrees")]
                names = [axes.populations[p] for p in shown]
                column = Column(
                    statistic,
                    scheme,
                    condition,
                    [axes.sizes[i] for i in others],
                    names,
                    Deviations(*part),
                    verdict[index][:, 0, 0, 0],
                )
                why = ""
                if statistic == "rate" and scheme not in calibrated and c == 0:
                    why = explanations.why_rates(column, theory, reference, study["tolerance"])
                    if isinstance(theory, str) and inputs is not None:
                        why = f"{why} {explanations.why_inputs(column, inputs, reference)}".strip()
                elif statistic in explanations.CORRELATIONS and scheme not in calibrated:
                    of_these = {
                        name: laws[scheme, condition, statistic, name]
                        for name in names
                        if (scheme, condition, statistic, name) in laws
                    }
                    why = explanations.why_correlations(column, of_these)
                elif inputs is not None and isinstance(theory, str) and (c == 0 or condition == ALL_CONDITIONS):
                    why = explanations.why_inputs(column, inputs, reference)
                rows.append((scheme, condition, statistic, explanations.kept(column, study["tolerance"]), why))
    titles = ("scheme_of", "condition_of", "statistic_of", "kept", "why")
    return xr.Dataset({title: ("row", np.array([row[k] for row in rows], object)) for k, title in enumerate(titles)})


def calibration_table(asked: Sequence[CalibrationJob], described: Mapping[str, Mapping[str, Any]]) -> xr.Dataset:
    """A row per calibration: its factors, and how far it came."""
    factors = list(dict.fromkeys(name for job in asked for name in job.factors))
    found = [described[job.name] for job in asked]
    return xr.Dataset(
        {
            "size_of": ("row", np.array([job.size for job in asked])),
            "scheme_of": ("row", np.array([job.scheme for job in asked], object)),
            "value": (
                ("row", "factor"),
                np.array([[one["factors"].get(name, np.nan) for name in factors] for one in found]),
            ),
            "residual": ("row", np.array([one["residual"] for one in found], float)),
            "converged": ("row", np.array([one["converged"] for one in found], bool)),
            "iterations": ("row", np.array([one["iterations"] for one in found], np.int64)),
            "evaluations": ("row", np.array([len(one["history"]) for one in found], np.int64)),
        },
        coords={"factor": ("factor", np.array(factors, object))},
    )
