"""Mouse diffusion-MRI connectomes (Wang et al. 2020), as in the graspologic package: 32 mice of four strains.

Layout: `sub-{subject}_ses-1_dti.edgelist` (blank-separated: region, region, streamline count; each pair once, regions
counted from 0), `atlas.csv` (166 regions of one hemisphere), `blocks.csv` (superstructures with index ranges: the left
hemisphere is 0-165, the right 166-331), `participants.csv` (participant_id, genotype, sex).
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes.edges import check_weights, stored, sum_duplicates
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.look import Files, Finding, by_name
from allometry.homogenize.options import text
from allometry.homogenize.reader import Reader, Source, named_file


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one mouse."""
    subject = str(options["subject"])
    path = named_file(files, f"sub-{subject}_ses-1_dti.edgelist", source.name)
    used = {name: named_file(files, name, source.name) for name in ("atlas.csv", "blocks.csv", "participants.csv")}
    nodes = _nodes(used["atlas.csv"], used["blocks.csv"])
    once = _edges(path, len(nodes))
    reverse = once.rename(columns={"source": "target", "target": "source"})
    both = pd.concat([once, reverse[reverse["source"] != reverse["target"]]], ignore_index=True)
    both, summed = sum_duplicates(both)
    labels = nodes.index.to_numpy(object)
    edges = both.assign(source=labels[both["source"]], target=labels[both["target"]])
    mouse = _participant(used["participants.csv"], subject)
    return stores.connectome(
        nodes,
        edges,
        attrs=source.attrs(
            f"Mouse diffusion-MRI connectome, subject {subject} ({mouse['genotype']}, {mouse['sex']}), Wang et al. 2020",
            {"subject": subject, **mouse},
            {
                "weight": "streamline count of tractography",
                "directions": "tractography has no direction: each listed pair is stored in both directions",
                "listed_pairs": len(once),
                "hemispheres": "the atlas names one hemisphere; blocks.csv says that regions 0-165 are left, 166-331 right",
                "stored": stored(edges),
                **summed,
            },
            {path.name: path, **used},
        ),
    )


def _edges(path: Path, regions: int) -> pd.DataFrame:
    table = spreadsheets.number_matrix(path, " ")
    if table.shape[1] != 3 or not len(table):
        raise ReaderError(
            f"edge list has shape {table.shape}", where=path.name, expected="rows of region region weight"
        )
    ends = table[:, :2]
    if (ends != np.round(ends)).any() or (ends < 0).any() or (ends >= regions).any():
        row = int(np.argmax(((ends != np.round(ends)) | (ends < 0) | (ends >= regions)).any(axis=1)))
        raise ReaderError(
            f"region {ends[row].tolist()} is not in the atlas",
            where=f"{path.name}, row {row + 1}",
            expected=f"whole numbers 0 to {regions - 1}",
        )
    edges = pd.DataFrame(
        {
            "source": ends[:, 0].astype(int),
            "target": ends[:, 1].astype(int),
            "weight": table[:, 2],
            "synapse": "structural",
        },
        index=pd.RangeIndex(1, len(table) + 1),
    )
    check_weights(edges, path.name)
    return edges


def _nodes(atlas_path: Path, blocks_path: Path) -> pd.DataFrame:
    columns = ("ROI", "Structure", "Abbreviation", "Level_1")
    atlas = spreadsheets.table(spreadsheets.read_delimited(atlas_path, ","), columns, atlas_path.name)
    names = ("block", "hemisphere", "i", "j")
    blocks = spreadsheets.table(spreadsheets.read_delimited(blocks_path, ","), names, blocks_path.name)
    first, last = (
        spreadsheets.numbers(blocks["i"], blocks_path.name),
        spreadsheets.numbers(blocks["j"], blocks_path.name),
    )
    kind, side = np.full(2 * len(atlas), "", object), np.full(2 * len(atlas), "", object)
    for block, hemisphere, i, j in zip(blocks["block"], blocks["hemisphere"], first.astype(int), last.astype(int)):
        if not 0 <= i < j <= len(kind) or hemisphere not in ("L", "R"):
            raise ReaderError(
                f"block {block!r} covers {i}-{j}, hemisphere {hemisphere!r}",
                where=blocks_path.name,
                expected=f"ranges within 0-{len(kind)}, hemisphere L or R",
            )
        kind[i:j], side[i:j] = block, hemisphere
    if (kind == "").any():
        raise ReaderError(
            f"region {int(np.argmax(kind == ''))} is in no block",
            where=blocks_path.name,
            expected="blocks that cover the atlas",
        )
    short = np.tile(spreadsheets.texts(atlas["Abbreviation"], atlas_path.name).to_numpy(object), 2)
    labels = [f"{name}_{hemisphere}" for name, hemisphere in zip(short, side)]
    return pd.DataFrame(
        {
            "type": kind,
            "class_": np.tile(spreadsheets.texts(atlas["Structure"], atlas_path.name).to_numpy(object), 2),
            "hemisphere": np.where(side == "L", "left", "right"),
        },
        index=pd.Index(labels, name="label"),
    )


def _participant(path: Path, subject: str) -> dict[str, str]:
    columns = ("participant_id", "genotype", "sex")
    table = spreadsheets.table(spreadsheets.read_delimited(path, ","), columns, path.name)
    rows = table[table["participant_id"] == f"sub-{subject}"]
    if len(rows) != 1:
        raise ReaderError(
            f"subject {subject} occurs {len(rows)} times", where=path.name, expected=f"one row sub-{subject}"
        )
    return {"genotype": str(rows.iloc[0]["genotype"]), "sex": str(rows.iloc[0]["sex"])}


def recognise(files: Files) -> list[Finding]:
    """Edge lists of subjects beside the tables of the atlas, by their names."""
    tables = files.named("atlas.csv", "blocks.csv", "participants.csv")
    lists = files.named("sub-*_ses-1_dti.edgelist")
    if len(tables) < 3 or not lists:
        return []
    subjects = [path.name.removeprefix("sub-").removesuffix("_ses-1_dti.edgelist") for path in lists]
    stores = {subject: ("connectome", {"subject": subject}) for subject in subjects}
    what = f"mouse diffusion-MRI connectomes of {len(subjects)} subjects in the layout of graspologic"
    return [Finding(what, by_name([*tables, *lists]), stores, species="Mus musculus")]


OPTIONS = {"subject": text(None, "Five digits of the mouse, such as 54776.", digits=True, required=True)}
READER = Reader("graspologic_dti", ("connectome",), read, OPTIONS, recognise=recognise)
