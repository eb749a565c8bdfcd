"""One study as its figures and tables read it: the store, what its simulations cost, and laws in a few signs."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores

ALL = "all"
"""All populations together."""
MARKS = "osD^vPX*"
"""Of lines, one after the other."""


class Study:
    """A Scaling store with the file of its costs.

    Parameters
    ----------
    path : path
        The store.
    """

    def __init__(self, path: str) -> None:
        tree = stores.open(path)
        assert isinstance(tree, xr.DataTree)
        self.path, self.tree, self.root = path, tree, tree.to_dataset().load()

    @property
    def name(self) -> str:
        """Name of the study."""
        return Path(self.path).stem

    @property
    def title(self) -> str:
        """Title of the store."""
        return str(self.tree.attrs["title"])

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What was configured."""
        return dict(stores.attribute(self.tree, "parameters"))

    @cached_property
    def costs(self) -> dict[str, Any]:
        """What the simulations cost, from the file beside the store."""
        file = Path(self.path)
        return dict(json.loads(file.with_name(f"{file.stem}.costs.json").read_text(encoding="utf-8")))

    @property
    def populations(self) -> list[str]:
        """Populations of the model."""
        return populations_of(self.root)

    @property
    def reference(self) -> float:
        """Size that the others are held against."""
        return float(self.root.attrs["reference"])


def table_of(study: Study, name: str) -> pd.DataFrame:
    """Rows of a table of a study, without the axes of its statistics; empty where it has no such table."""
    if name not in study.tree["tables"].children:
        return pd.DataFrame()
    node = study.tree[f"tables/{name}"]
    assert isinstance(node, xr.DataTree)
    return node.to_dataset(inherit=False).to_dataframe().reset_index(drop=True)


def populations_of(root: xr.Dataset) -> list[str]:
    """Populations of the model, without all of them together where there are several."""
    names = [name for name in root["population"].values.tolist() if name != ALL]
    return names or root["population"].values.tolist()


def law_text(law: Mapping[str, Any]) -> str:
    """A law in a few signs: `N^0.63 (0.40 to 0.85)`."""
    name, exponent = law.get("name", "undetermined"), law.get("exponent")
    if name == "constant":
        return "constant"
    if exponent is None or not np.isfinite(exponent):
        return "undetermined"
    low, high = (_bound(law.get(key)) for key in ("exponent_low", "exponent_high"))
    floor = "floor + " if name == "power law with a floor" else ""
    text = f"{floor}N^{exponent:.2f} ({low} to {high})"
    return (text if name != "undetermined" else f"undetermined; the best is {text}").replace("-", "−")


def interval_text(value: float, low: float, high: float) -> str:
    """A number with its interval: `−0.95 (−1.01 to −0.90)`; `undetermined` where there is none."""
    if not np.isfinite(value):
        return "undetermined"
    return f"{value:.2f} ({_bound(low)} to {_bound(high)})".replace("-", "−")


def _bound(value: float | None) -> str:
    return f"{value:.2f}" if value is not None and np.isfinite(value) else "?"
