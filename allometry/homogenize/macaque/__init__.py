"""What makes 32 areas of macaque visual cortex a network: published tables, and the synapses that follow from them."""
