"""Benchmarks of Allometry beside other programs on the same machine; run from the root of the checkout."""
