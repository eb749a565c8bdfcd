"""Loops over blocks of neurons, compiled around the step of their model."""
