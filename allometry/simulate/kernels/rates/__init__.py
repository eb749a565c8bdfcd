"""Loops over rate units: nonlinearities, sums in a fixed order, and the steps."""
