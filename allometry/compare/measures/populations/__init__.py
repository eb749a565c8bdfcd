"""Populations of units: tuning, decoding, correlations and their spectra."""
