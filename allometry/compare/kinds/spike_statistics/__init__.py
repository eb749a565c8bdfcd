"""Statistics of spiking activity, simulation against simulation and data, beside what another seed changes."""

from allometry.compare.kinds.spike_statistics.comparison import estimates, spike_statistics

__all__ = ["estimates", "spike_statistics"]
