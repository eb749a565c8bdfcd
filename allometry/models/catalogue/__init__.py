"""The record that stands beside every model, its parameters and fits, and models by name."""
