"""How partitions find each other, and the memory through which those on one host exchange spikes."""
