"""Spike trains: irregularity, distances, bursts, criticality."""
