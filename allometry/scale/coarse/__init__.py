"""Coarse-grained V1: pixels of cells in place of cells, whose responses are looked up and whose inputs are solved for.

`pixels` says what the cells of every pixel are given, `responses` holds the tables, `estimation` takes them from simulations
of the full network, `fixed_point` solves a stimulus, `evaluation` holds the rates against those of a network.
"""
