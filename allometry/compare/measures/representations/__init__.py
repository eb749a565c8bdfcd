"""Geometry of representations: dissimilarities, similarity of systems, topology, object manifolds."""
