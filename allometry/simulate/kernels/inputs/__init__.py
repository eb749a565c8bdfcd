"""Loops that draw what comes from outside: Poisson input, rhythms, currents in waves."""
