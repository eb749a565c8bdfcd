"""A network of rate units turned into arrays: what follows from it, its propagators, and its partitions."""
