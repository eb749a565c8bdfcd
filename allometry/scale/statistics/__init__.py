"""Statistics that studies take of every simulation, and what they read of it."""
