"""Compiled loops of the simulator: everything that decides the bits of a spike."""
