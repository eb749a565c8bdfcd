"""Tables of scaling studies: what a size loses and gains, which statistic is kept where and why, and the laws.

A study of many conditions has hundreds of rows of the last two. The page shows a row per statistic and scheme, with the
condition in which it is kept worst, and has all rows as files.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry.report.excerpt import Excerpt
from allometry.report.scaling.study import Study, law_text, table_of

PLACE = ("size", "condition", "statistic", "population")


def tables(paths: Sequence[str]) -> dict[str, pd.DataFrame | Excerpt]:
    """Tables of all studies: what each size loses and gains, which statistic is kept where and why, and the laws.

    Parameters
    ----------
    paths : sequence of path
        Scaling stores.
    """
    if not paths:
        return {}
    studies = [Study(path) for path in paths]
    kept = [_explained(study) for study in studies]
    laws = [_laws(study) for study in studies]
    return {
        "What a smaller model loses, and what it gains": _joined([_balance(study) for study in studies]),
        "Which statistic is kept where, and why the others are not": Excerpt(
            _joined([_explained_briefly(study, table) for study, table in zip(studies, kept)]), _joined(kept)
        ),
        "How deviations and costs depend on size": Excerpt(
            _joined([_laws_briefly(study, table) for study, table in zip(studies, laws)]), _joined(laws)
        ),
    }


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)


def _balance(study: Study) -> pd.DataFrame:
    """A row per scheme and size: what is lost, what is gained."""
    root, costs, reference = study.root, study.costs, study.reference
    part = root.sel(population=study.populations)
    rows = []
    for scheme in root["scheme"].values.tolist():
        time, memory = (_means(costs, scheme, cost) for cost in ("simulation_s", "memory_gib"))
        for size in root["size"].values.tolist():
            words = part["verdict"].sel(size=size, scheme=scheme).values.ravel().tolist()
            counted = {word: words.count(word) for word in ("preserved", "changed", "undetermined")}
            key, full = f"{size:g}", f"{reference:g}"
            rows.append(
                {
                    "study": study.name,
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
    at = _most_changed(part.sel(size=[size], scheme=scheme))
    if at is None:
        return "none"
    value = 100 * float(part["deviation"].sel({**at, "scheme": scheme}))
    where = f" ({at['condition']})" if part.sizes["condition"] > 1 else ""
    return f"{at['statistic'].replace('_', ' ')} of {at['population']} {value:+.0f} %{where}".replace("-", "−")


def _most_changed(part: xr.Dataset) -> dict[str, Any] | None:
    """Size, condition, statistic and population of the largest change of a scheme; None where nothing is changed."""
    # the side of the interval that is nearer to no change: what is certain
    certain = xr.apply_ufunc(np.minimum, abs(part["deviation_low"]), abs(part["deviation_high"]))
    return _place(certain, part["verdict"] == "changed")


def _place(amount: xr.DataArray, where: xr.DataArray) -> dict[str, Any] | None:
    """Where an amount is largest, of some places."""
    if not where.any():
        return None
    amount = amount.fillna(np.inf).where(where, -1.0).transpose(*PLACE)
    at = np.unravel_index(int(amount.values.argmax()), amount.shape)
    return {axis: amount[axis].values.tolist()[i] for axis, i in zip(PLACE, at)}


def _worst(study: Study, scheme: str, statistic: str) -> dict[str, Any]:
    """Where a statistic is kept worst in a scheme: most changed; else least known; else least closely kept; else anywhere."""
    sizes = [size for size in study.root["size"].values.tolist() if size != study.reference]
    part = study.root.sel(size=sizes, scheme=scheme, statistic=[statistic], population=study.populations)
    bound = xr.apply_ufunc(np.maximum, abs(part["deviation_low"]), abs(part["deviation_high"]))
    found = _most_changed(part)
    for word in ("undetermined", "preserved"):
        found = found or _place(bound, part["verdict"] == word)
    return found or {"condition": str(study.root["condition"].values[0]), "population": study.populations[0]}


def _conditions(study: Study, scheme: str, statistic: str) -> str:
    """In how many conditions a statistic is kept, changed, or neither can be said: at all sizes, in all populations."""
    part = study.root["verdict"].sel(scheme=scheme, statistic=statistic, population=study.populations)
    counted = dict.fromkeys(("kept", "changed", "undetermined"), 0)
    for condition in part["condition"].values.tolist():
        words = set(part.sel(condition=condition).values.ravel().tolist()) - {"", "reference"}
        if words:
            worst = next((word for word in ("changed", "undetermined") if word in words), "kept")
            counted[worst] += 1
    return ", ".join(f"{word} in {number}" for word, number in counted.items() if number) or "undefined"


def _groups(table: pd.DataFrame, column: str) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Rows by scheme and a column, in the order of the first of each."""
    for (scheme, value), group in table.groupby(["scheme", column], sort=False):
        yield str(scheme), str(value), group


def _explained(study: Study) -> pd.DataFrame:
    table = table_of(study, "explanations").astype(str)
    return pd.DataFrame(
        {
            "study": study.name,
            "scheme": table["scheme_of"],
            "condition": table["condition_of"],
            "statistic": table["statistic_of"],
            "kept and changed (95 % intervals)": table["kept"],
            "why": table["why"],
        }
    )


def _explained_briefly(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """A row per statistic and scheme: in how many conditions it is kept, and what is said of the worst one."""
    rows = []
    for scheme, statistic, group in _groups(table, "statistic"):
        condition = _worst(study, scheme, statistic)["condition"]
        worst = group[group["condition"] == condition].iloc[0]
        explained = group[group["why"] != ""]
        why = worst["why"]
        if not why and len(explained):
            other = explained.iloc[0]
            why = f"Under {other['condition']}: {other['why']}"
        rows.append(
            {
                "study": study.name,
                "scheme": scheme,
                "statistic": statistic,
                "conditions": _conditions(study, scheme, statistic),
                "worst condition": condition,
                "kept and changed there (95 % intervals)": worst["kept and changed (95 % intervals)"],
                "why": why,
            }
        )
    return pd.DataFrame(rows)


def _laws(study: Study) -> pd.DataFrame:
    table = table_of(study, "laws")
    rows = [
        {
            "study": study.name,
            "of": str(row["statistic_of"]),
            "population": str(row["population_of"]),
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
    rows += [
        {
            "study": study.name,
            "of": cost,
            "population": "",
            "scheme": scheme,
            "condition": "",
            "law": law["name"],
            "dependence on N": law_text(law),
            "sizes": law["sizes"],
            "values": law["n"],
            "why undetermined": law["reason"],
        }
        for scheme, laws in study.costs["laws"].items()
        for cost, law in laws.items()
    ]
    return pd.DataFrame(rows).assign(of=lambda found: found["of"].str.replace("_", " "))


def _laws_briefly(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """A row per statistic, or cost, and scheme: how many laws of each name there are, and the one where it is kept worst."""
    names = {name.replace("_", " "): name for name in study.root["statistic"].values.tolist()}
    rows = []
    for scheme, of, group in _groups(table, "of"):
        shown = group.iloc[0]
        if shown["population"]:
            worst = _worst(study, scheme, names[of])
            there = (group["condition"] == worst["condition"]) & (group["population"] == worst["population"])
            shown = group[there].iloc[0] if there.any() else shown
        counted = group["law"].value_counts(sort=False)
        rows.append(
            {
                "study": study.name,
                "of": of,
                "scheme": scheme,
                "laws": ", ".join(f"{number} {law}" for law, number in counted.items()),
                "kept worst in": ", ".join(filter(None, (shown["population"], shown["condition"]))),
                "dependence on N there": shown["dependence on N"],
                **{name: shown[name] for name in ("sizes", "values", "why undetermined")},
            }
        )
    return pd.DataFrame(rows)
