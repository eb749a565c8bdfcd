"""Comparison of measures with known truths: which measure can tell which relation between two systems?"""

from allometry.compare.kinds.model_recovery.comparison import model_recovery

__all__ = ["model_recovery"]
