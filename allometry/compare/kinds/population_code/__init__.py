"""What a population of sensory neurons says about the stimulus, and how reliably: decoding, tuning, correlations, dimension."""

from allometry.compare.kinds.population_code.comparison import estimates, population_code

__all__ = ["estimates", "population_code"]
