"""Similarity of representations: areas and animals with one another, and with a bank of models on the same stimuli."""

from allometry.compare.kinds.representation_similarity.comparison import estimates, representation_similarity

__all__ = ["estimates", "representation_similarity"]
