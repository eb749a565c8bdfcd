"""Ion channels of single cells: their gates, and the loop of a cell under a current or voltage clamp."""
