"""Dask clusters: how one is started, joined and protected, and which worker has which partition."""
