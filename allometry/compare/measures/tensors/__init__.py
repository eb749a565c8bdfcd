"""Tensors of activity: decompositions in memory and out of core, affinities over time."""
