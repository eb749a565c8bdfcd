"""The synapses of one thread in arrays: static, plastic, and with draws for every spike."""
