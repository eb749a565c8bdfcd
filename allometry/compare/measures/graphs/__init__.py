"""Graphs: structure against function, agreement, nulls, reservoirs."""
