"""Studies of feature models: their responses by condition, and the statistics that are taken of them."""
