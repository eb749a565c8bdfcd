"""Models of rate units: a file each, their trials, and the theory and the designs that they are built on."""

from allometry.models.rates import motif_trials, timing_trials  # noqa: F401 - register the trials
from allometry.models.rates.low_rank_timing import low_rank_timing
from allometry.models.rates.thalamocortical_motifs import thalamocortical_motifs

__all__ = ["low_rank_timing", "thalamocortical_motifs"]
