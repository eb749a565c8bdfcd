"""Simulated against measured signal propagation: does activity on the connectome tell more than the connectome itself?"""

from allometry.compare.kinds.propagation.comparison import propagation

__all__ = ["propagation"]
