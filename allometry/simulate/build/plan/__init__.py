"""A network in numbers, the same for every partition: populations, inputs, positions, projections."""
