"""Measures: pure functions on arrays, in five families that import nothing from each other."""
