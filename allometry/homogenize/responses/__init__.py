"""Stimulus-driven recordings: presentations and sweeps into a Responses store."""
