"""The step loop of one thread, what it works on, and its exchange of spikes with the others."""
