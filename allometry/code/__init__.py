"""The code that a job runs: what source files define, what they use, and the fingerprint of it."""
