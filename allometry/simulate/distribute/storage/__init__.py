"""Files of a run under way: segments of spikes, checkpoints, and their merge into the store."""
