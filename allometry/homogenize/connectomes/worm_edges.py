"""From named edge rows of a worm source to a Connectome store on canonical names."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from allometry import stores
from allometry.homogenize.connectomes import edges as edge_rules
from allometry.homogenize.reader import Source
from allometry.homogenize.worm.neurons import NEURONS, SIGN_CONVENTION, canonical_names, worm_nodes
from allometry.homogenize.worm.positions import read_positions


def worm_connectome(
    rows: pd.DataFrame,
    *,
    title: str,
    source: Source,
    used: Mapping[str, Path],
    where: str,
    parameters: Mapping[str, Any],
    derived: Mapping[str, Any],
    extra_nodes: Iterable[str] = (),
    types: Mapping[str, str] | None = None,
    weight_units: str = "1",
    positions: Path | None = None,
) -> xr.Dataset:
    """Build the store from edge rows as a file lists them.

    Parameters
    ----------
    rows : pandas.DataFrame
        `source`, `target` (names of the file), `weight`, `synapse`; the index is the row in the file.
    title, source, used, parameters, derived
        For the root attrs.
    where : str
        File (and sheet) for messages.
    extra_nodes : iterable of str
        Names of the file that have no edge; they are nodes too.
    types : mapping, optional
        Node type by canonical name where the file knows better than the canonical table.
    weight_units : str
        Units of the weights; 1 for counts.
    positions : Path, optional
        Table of soma positions (see `worm.positions`); they become x, y, z of the nodes, NaN where it has none.

    Returns
    -------
    xarray.Dataset
        A valid Connectome.
    """
    names = pd.Index(pd.unique(pd.concat([rows["source"], rows["target"], pd.Series(list(extra_nodes), dtype=object)])))
    renamed = dict(zip(names, canonical_names(names, where)))
    edges = rows.assign(source=rows["source"].map(renamed), target=rows["target"].map(renamed))
    edges, record = edge_rules.tidy(edges, where)
    nodes = worm_nodes(renamed.values())
    for label, kind in (types or {}).items():
        if label in nodes.index:
            nodes.loc[label, "type"] = kind
    aliases = {old: new for old, new in renamed.items() if old != new}
    record["stored"] = edge_rules.stored(edges)
    if aliases:
        # VB02 -> VB2 and the like by the hundred would hide the few that a reader should look at.
        numbered = {old: new for old, new in aliases.items() if old[-1].isdigit()}
        record["renamed"] = {old: new for old, new in sorted(aliases.items()) if old not in numbered}
        if numbered:
            example = " -> ".join(min(numbered.items()))
            record["renamed_numbered"] = f"{len(numbered)} numbered cells to canonical form, such as {example}"
    if positions is not None:
        table = read_positions(positions).reindex(nodes.index)
        nodes = nodes.join(table)
        used = {**used, positions.name: positions}
        record["positions"] = (
            f"somata of {int(table['x'].notna().sum())} of {len(nodes)} cells from {positions.name}, of a model of an adult "
            "hermaphrodite, not of the animals of this connectome; its unit is not stated: 100 um, by comparison with the "
            "cell models of OpenWorm"
        )
    record["sign"] = SIGN_CONVENTION
    on_axis = nodes.index.isin(NEURONS)
    record["canonical_neurons"] = int(on_axis.sum())
    return stores.connectome(
        nodes,
        edges,
        attrs=source.attrs(title, parameters, {**record, **derived}, used),
        weight_units=weight_units,
        units=dict.fromkeys(("x", "y", "z"), "um") if positions is not None else None,
    )
