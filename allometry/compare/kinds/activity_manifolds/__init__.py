"""Manifolds of whole-brain activity (Kato et al. 2015) compared across animals on the neurons that both have identified."""

from allometry.compare.kinds.activity_manifolds.comparison import activity_manifolds

__all__ = ["activity_manifolds"]
