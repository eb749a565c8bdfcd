"""Edges: from tables and matrices of any size to a Connectome store."""
