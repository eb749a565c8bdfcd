"""Tables of scaling studies: what a size loses and gains, which statistic is kept where and why, and the laws."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores

ALL = "all"
"""All populations together."""


def tables(paths: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Tables of all studies: what each size loses and gains, which statistic is kept where and why, and the laws.

    Parameters
    ----------
    paths : sequence of path
        Scaling stores.
    """
    if not paths:
        return {}
    return {
        "What a smaller model loses, and what it gains": pd.concat(
            [_balance(path) for path in paths], ignore_index=True
        ),
        "Which statistic is kept where, and why the others are not": pd.concat(
            [_explained(path) for path in paths], ignore_index=True
        ),
        "How deviations and costs depend on size": pd.concat([_laws(path) for path in paths], ignore_index=True),
    }


def opened(path: str) -> xr.DataTree:
    """Open a Scaling store."""
    tree = stores.open(path)
    assert isinstance(tree, xr.DataTree)
    return tree


def costs_of(path: str) -> dict[str, Any]:
    """What the simulations of a study cost, from the file beside its store."""
    file = Path(path)
    return dict(json.loads(file.with_name(f"{file.stem}.costs.json").read_text(encoding="utf-8")))


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


def _bound(value: float | None) -> str:
    return f"{value:.2f}" if value is not None and np.isfinite(value) else "?"


def _balance(path: str) -> pd.DataFrame:
    """A row per scheme and size: what is lost, what is gained."""
    tree = opened(path)
    root, costs = tree.to_dataset(), costs_of(path)
    reference = float(root.attrs["reference"])
    part = root.sel(population=populations_of(root))
    rows = []
    for scheme in root["scheme"].values.tolist():
        time, memory = (_means(costs, scheme, cost) for cost in ("simulation_s", "memory_gib"))
        for size in root["size"].values.tolist():
            words = part["verdict"].sel(size=size, scheme=scheme).values.ravel().tolist()
            counted = {word: words.count(word) for word in ("preserved", "changed", "undetermined")}
            key, full = f"{size:g}", f"{reference:g}"
            rows.append(
                {
                    "study": Path(path).stem,
                    "scheme": scheme,
                    "size": size,
                    "neurons": int(root["neurons"].sel(size=size, scheme=scheme)),
                    "synapses": f"{float(root['synapses'].sel(size=size, scheme=scheme)):.3g}",
                    **(dict.fromkeys(counted, "") if size == reference else counted),
                    "largest change": "reference" if size == reference else _largest(part, size, scheme),
                    "wall s per biological s": time.get(key),
                    "times as fast": _ratio(time.get(full), time.get(key)),
                    "memory (GiB)": memory.get(key),
                    "times less memory": _ratio(memory.get(full), memory.get(key)),
                    "calibration": str(root["calibration"].sel(size=size, scheme=scheme).values),
                }
            )
    return pd.DataFrame(rows)


def _means(costs: Mapping[str, Any], scheme: str, cost: str) -> dict[str, float]:
    values = costs["values"].get(scheme, {}).get(cost, {})
    return {size: float(np.mean(found)) for size, found in values.items() if found}


def _ratio(a: float | None, b: float | None) -> float | None:
    return a / b if a is not None and b else None


def _largest(part: xr.Dataset, size: float, scheme: str) -> str:
    """The statistic that is changed most, of those whose deviation is bounded."""
    here = part.sel(size=size, scheme=scheme)
    changed = here["verdict"].values == "changed"
    if not changed.any():
        return "none"
    # the side of the interval that is nearer to no change: what is certain
    low, high = here["deviation_low"].values, here["deviation_high"].values
    certain = np.where(changed, np.minimum(np.abs(low), np.abs(high)), -1.0)
    at = np.unravel_index(certain.argmax(), certain.shape)
    value = 100 * float(here["deviation"].values[at])
    condition, statistic, population = (
        str(here[axis].values[i]) for axis, i in zip(("condition", "statistic", "population"), at)
    )
    where = f" ({condition})" if here.sizes["condition"] > 1 else ""
    return f"{statistic.replace('_', ' ')} of {population} {value:+.0f} %{where}".replace("-", "−")


def _table(path: str, name: str) -> pd.DataFrame:
    """Rows of a table of a study, without the axes of its statistics."""
    node = opened(path)[f"tables/{name}"]
    assert isinstance(node, xr.DataTree)
    return node.to_dataset(inherit=False).to_dataframe().reset_index(drop=True)


def _explained(path: str) -> pd.DataFrame:
    table = _table(path, "explanations")
    table = table.astype(str)
    return pd.DataFrame(
        {
            "study": Path(path).stem,
            "scheme": table["scheme_of"],
            "condition": table["condition_of"],
            "statistic": table["statistic_of"],
            "kept and changed (95 % intervals)": table["kept"],
            "why": table["why"],
        }
    )


def _laws(path: str) -> pd.DataFrame:
    table = _table(path, "laws")
    rows = [
        {
            "study": Path(path).stem,
            "of": f"{row['statistic_of']} of {row['population_of']}".replace("_", " "),
            "scheme": str(row["scheme_of"]),
            "condition": str(row["condition_of"]),
            "law": str(row["law"]),
            "dependence on N": law_text({**{str(key): value for key, value in row.items()}, "name": str(row["law"])}),
            "sizes": int(row["sizes"]),
            "values": int(row["n"]),
            "why undetermined": str(row["reason"]),
        }
        for row in table.to_dict("records")
    ]
    costs = costs_of(path)
    rows += [
        {
            "study": Path(path).stem,
            "of": cost.replace("_", " "),
            "scheme": scheme,
            "condition": "",
            "law": law["name"],
            "dependence on N": law_text(law),
            "sizes": law["sizes"],
            "values": law["n"],
            "why undetermined": law["reason"],
        }
        for scheme, laws in costs["laws"].items()
        for cost, law in laws.items()
    ]
    return pd.DataFrame(rows)
