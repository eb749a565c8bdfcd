"""Stores as what analyses use: matrices, graphs, trains and trials, and objects of other packages."""
