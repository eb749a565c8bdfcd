"""Whether the calibrations and fits of a study converged, and what they left."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from allometry.scale.jobs import CalibrationJob, Job


def settled_by_size(
    sizes: Sequence[float],
    schemes: Sequence[str],
    asked: Sequence[CalibrationJob],
    described: Mapping[str, Mapping[str, Any]],
    all_jobs: Sequence[Job],
    found: Mapping[str, Mapping[str, Any]],
) -> tuple[np.ndarray, np.ndarray]:
    """Whether the calibration or all fits of each size and scheme converged, in words, and the largest residual.

    Parameters
    ----------
    sizes, schemes : sequence
        Axes of the study.
    asked : sequence of CalibrationJob
        The calibrations of the study.
    described : mapping of str to mapping
        What each wrote, by name.
    all_jobs : sequence of Job
        Jobs of the study.
    found : mapping of str to mapping
        What `measure_job` wrote of each, with `fits` of a model that is fitted.
    """
    words = np.full((len(sizes), len(schemes)), "", object)
    residual = np.full(words.shape, np.nan)
    for job in asked:
        at = sizes.index(job.size), schemes.index(job.scheme)
        words[at] = "converged" if described[job.name]["converged"] else "not converged"
        residual[at] = described[job.name]["residual"]
    for one in all_jobs:
        for fit in found[one.name].get("fits", {}).values():
            for scheme in one.schemes:
                at = sizes.index(one.size), schemes.index(scheme)
                words[at] = "converged" if fit["converged"] and words[at] != "not converged" else "not converged"
                residual[at] = np.fmax(residual[at], fit["residual"])
    return words, residual
