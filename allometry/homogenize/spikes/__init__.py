"""The one path from the spike trains that a reader found to a valid Spikes store."""
