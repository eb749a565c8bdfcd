"""Theory of networks: stationary rates, moments of the input, correlations in space."""
