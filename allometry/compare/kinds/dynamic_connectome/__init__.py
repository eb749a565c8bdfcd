"""Dynamic functional connectome of recorded worms: motifs of coupling over time x animal x pair, and their communities."""

from allometry.compare.kinds.dynamic_connectome.comparison import dynamic_connectome, estimates

__all__ = ["dynamic_connectome", "estimates"]
