"""The Dask cluster of the tests of the simulator."""

from tests.simulate.conftest import client

__all__ = ["client"]
