"""Intervals, tests and ceilings: what makes a number trustworthy, on arrays of any size."""
