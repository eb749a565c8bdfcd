"""The plugins of a process, imported in its Dask workers."""

from collections.abc import Mapping
from typing import Any

from distributed import WorkerPlugin

from allometry import plugins


class Plugins(WorkerPlugin):
    """Imports plugins when a worker starts.

    Parameters
    ----------
    places : mapping of str to str
        Their folders, as `plugins.places` gives them; every worker must see them under the same path.
    """

    name = "allometry-plugins"

    def __init__(self, places: Mapping[str, str]) -> None:
        self.places = dict(places)

    def setup(self, worker: Any) -> None:
        """Import them."""
        plugins.adopt(self.places)
