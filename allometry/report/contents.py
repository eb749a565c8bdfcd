"""What the page says: summary, sections with their figures, and the tables of stores, data and versions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores as store_access
from allometry.report.cards import table as card_table
from allometry.report.drawing import verdicts
from allometry.report.excerpt import Excerpt
from allometry.report.page import Section
from allometry.report.scaling.tables import tables as scaling_tables
from allometry.stores.folders.catalog import of_stores
from allometry.stores.storage.manifest import read_manifest
from allometry.stores.summaries import activity

# Order and text of the sections, by the prefixes of the names of their figures
SECTIONS = {
    ("connectomes_",): (
        "Connectomes",
        "Every source in one schema: the same names, the same direction, the same units.",
    ),
    ("coverage_", "recordings_"): (
        "Recordings",
        "Activity on a common axis and at a common rate; native traces are in the same stores.",
    ),
    ("simulated_",): ("Simulations", "Bitwise the same for any number of partitions, threads and workers."),
    ("scaled_",): (
        "Scaling",
        "One model at several sizes: what its statistics keep, what they lose, and what that saves. A verdict needs its whole "
        "95 % interval on one side of the tolerance; what few seeds cannot tell is undetermined.",
    ),
    ("compared_",): (
        "Comparisons",
        "Scores with confidence intervals, nulls and ceilings. Every result is held against its strongest baseline: ▲ better, "
        "= no better, ▼ worse, ? undecided, with the 95 % interval of the difference.",
    ),
}

# Columns of the table of scores: `role` and verdict beside the names, so that no result is read without its baseline
SCORE_TEXT = ("comparison", "measure", "candidate", "reference", "group", "role", "verdict", "baseline", "null")
SCORE_COLUMNS = [
    *SCORE_TEXT[:8],
    *("difference", "difference_low", "difference_high"),
    *("score", "ci_low", "ci_high", "ceiling_low", "ceiling_high", "ceiled", "p", "p_fdr", "n"),
    *SCORE_TEXT[8:],
]


def summary(stores: Sequence[str], sources: Mapping[str, Any]) -> str:
    """Sentence under the title."""
    kinds = [_kind(path) for path in stores]
    count = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    listed = ", ".join(f"{number} {kind}" for kind, number in count.items())
    return f"{len(stores)} stores from {len(sources)} data sets and from simulations: {listed}."


def sections(stores: Sequence[str], images: Sequence[str], cards: Sequence[str] = ()) -> list[Section]:
    """Sections of the page, each with its figures; the comparisons also with their cards and the table of all scores."""
    return [
        Section(
            title,
            note,
            [image for image in images if Path(image).name.startswith(prefixes)],
            _tables(prefixes[-1], stores, cards),
        )
        for prefixes, (title, note) in SECTIONS.items()
    ]


def _tables(prefix: str, stores: Sequence[str], cards: Sequence[str]) -> dict[str, pd.DataFrame | Excerpt]:
    if prefix == "compared_":
        linked = {"Benchmark cards: what each score is worth": card_table(cards)} if cards else {}
        return {**linked, "All scores": scores_table(stores)}
    if prefix == "scaled_":
        return dict(scaling_tables([path for path in stores if _kind(path) == "Scaling"]))
    if prefix == "recordings_":
        return {"Recordings": recordings_table(stores), "Catalogue: every recording": catalog_table(stores)}
    return {}


def recordings_table(stores: Sequence[str]) -> pd.DataFrame:
    """Comparable numbers of every Activity store, and of those of one species together."""
    trees: dict[str, dict[str, xr.DataTree]] = {}
    for path in stores:
        if _kind(path) == "Activity":
            tree = store_access.open(path)
            assert isinstance(tree, xr.DataTree)
            trees.setdefault(str(tree.attrs["species"]), {})[Path(path).stem] = tree
    tables = [activity.table(group).rename(index={"all": f"all of {species}"}) for species, group in trees.items()]
    if not tables:
        return pd.DataFrame()
    table = pd.concat(tables)
    rates = table.pop("native_rate_hz")
    table.insert(
        5, "native rate (Hz): lowest, median, highest", [", ".join(f"{rate:.3g}" for rate in row) for row in rates]
    )
    table.columns = [str(column).replace("_", " ") for column in table.columns]
    return table.rename_axis("data set").reset_index()


def catalog_table(stores: Sequence[str]) -> pd.DataFrame:
    """Every recording with species, area, cell type, indicator, stimulus, hours, units and licence; empty columns left out."""
    table = of_stores(stores).drop(columns="citation")
    said = [name for name in table if not (table[name].isna() | (table[name].astype(str) == "")).all()]
    return table[said].rename(columns={"rate_hz": "native rate (Hz)", "cell_type": "cell type"})


def scores_table(stores: Sequence[str]) -> pd.DataFrame:
    """One row per comparison of every Scores store; what a store does not hold is empty.

    `role` tells results from the baselines they must beat and from controls, `verdict` and `null` say in words what came
    of it and what p refers to.
    """
    tables = []
    for path in stores:
        if _kind(path) != "Scores":
            continue
        tree = store_access.open(path)
        rows = _root(tree).reset_coords().to_dataframe().reset_index(drop=True)
        rows["comparison"] = Path(path).stem
        tables.append(rows.reindex(columns=SCORE_COLUMNS))
    if not tables:
        return pd.DataFrame()
    table = pd.DataFrame(
        {name: np.concatenate([part[name].to_numpy(object) for part in tables]) for name in SCORE_COLUMNS}
    )
    text = {name: table[name].where(table[name].notna(), "").astype(str) for name in SCORE_TEXT}
    numbers = {name: pd.to_numeric(table[name]) for name in SCORE_COLUMNS if name not in SCORE_TEXT}
    table = table.assign(**text, **numbers).astype({"n": "Int64"})
    said = [verdicts.difference(row) if row["verdict"] else "" for row in table.to_dict("records")]
    table = table.assign(difference=said).drop(columns=["difference_low", "difference_high"])
    return table.rename(columns={"difference": "difference (95 % interval)"})


def store_table(stores: Sequence[str]) -> pd.DataFrame:
    """Name, kind, size and content hash of every store."""
    rows = []
    for path in stores:
        manifest = read_manifest(path)
        ds = _root(store_access.open(path))
        rows.append(
            {
                "path": path,
                "kind": ds.attrs["schema"],
                "title": ds.attrs["title"],
                "size": ", ".join(f"{size:,} {dim}" for dim, size in ds.sizes.items()),
                "content sha256": manifest["content"]["content_sha256"][:16],
                "inferred": "; ".join(
                    f"{key}: {value}" for key, value in store_access.attribute(ds, "derived").items()
                )[:400],
            }
        )
    return pd.DataFrame(rows)


def data_table(sources: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Citation, licence and checksums of every data set that was used."""
    return pd.DataFrame(
        [
            {
                "data set": name,
                "species": entry["species"],
                "citation": entry["citation"],
                "licence or terms": entry["licence"],
                "reader verified on": {"real": "genuine files", "layout-only": "synthetic files in this layout only"}[
                    entry["verified"]
                ],
                "files": len(entry["files"]),
                "sha256": ", ".join(f"{file['name']} {str(file['sha256'])[:12]}" for file in entry["files"][:4])
                + (" ..." if len(entry["files"]) > 4 else ""),
            }
            for name, entry in sources.items()
        ]
    )


def data_note(
    sources: Mapping[str, Any], unused: Mapping[str, Sequence[str]], left_out: Mapping[str, str] | None = None
) -> str:
    """Say what this run used, what it had to leave out, and what is not used: in packages, or `elsewhere`."""
    note = f"This run used {len(sources)} data sets. Nothing of them is part of the project; each comes from its own place under its own terms."
    if left_out:
        note += " Configured, but left out: " + "; ".join(f"{name} ({why})" for name, why in left_out.items()) + "."
    if unused["packages"]:
        note += f" Not used here, though their files are in packages: {', '.join(unused['packages'])}."
    if unused["elsewhere"]:
        note += (
            " Not used here, and in need of a download, a mirror or files of your own (see config/full.yaml; worm activity "
            f"and Allen recordings are among them): {', '.join(unused['elsewhere'])}."
        )
    return note


def versions(stores: Sequence[str]) -> dict[str, str]:
    """Commit and packages that wrote the newest store of the run."""
    manifests = [read_manifest(path)["provenance"] for path in stores]
    newest = max(manifests, key=lambda provenance: str(provenance["times"]["finished"]))
    commit = newest.get("git") or {}
    return {
        "git commit": f"{commit.get('commit', 'not a checkout')}{' (with uncommitted changes)' if commit.get('dirty') else ''}",
        "finished": newest["times"]["finished"],
        "host": f"{newest['host']}, {newest['platform']}",
        "python": newest["python"],
        **newest["packages"],
    }


def _kind(path: str) -> str:
    return str(_root(store_access.open(path, check="none")).attrs["schema"])


def _root(opened: xr.Dataset | xr.DataTree) -> xr.Dataset:
    return opened.to_dataset() if isinstance(opened, xr.DataTree) else opened
