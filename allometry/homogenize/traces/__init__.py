"""Recordings of activity: labels, time bases, resampling, assembly into an Activity store."""
