"""Where and how a simulation runs: workers, exchange of spikes, spools, checkpoints, collection."""
