"""Loops that carry a spike over its synapses: static, plastic, and with draws for every spike."""
