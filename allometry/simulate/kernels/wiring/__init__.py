"""Loops that draw the synapses of a projection, one kernel per rule of connection."""
