"""What the page says: summary, findings, sections with their figures, and the tables of stores, data and versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores as store_access
from allometry.report import findings as found_findings
from allometry.report.drawing import verdicts
from allometry.report.drawing.drawing import Description
from allometry.report.excerpt import Excerpt
from allometry.report.page import chain
from allometry.report.page.cards import table as card_table
from allometry.report.page.render import Gallery, Line, Part, Section
from allometry.report.scaling.compute import tables as compute_tables
from allometry.report.scaling.laws import tables as laws_tables
from allometry.report.scaling.tables import tables as scaling_tables
from allometry.stores.folders.catalog import of_stores
from allometry.stores.schema import Data
from allometry.stores.storage.manifest import read_manifest
from allometry.stores.summaries import activity

# Columns of the table of scores: `role` and verdict beside the names, so that no result is read without its baseline
SCORE_TEXT = ("comparison", "measure", "candidate", "reference", "group", "role", "verdict", "baseline", "null")
SCORE_COLUMNS = [
    *SCORE_TEXT[:8],
    *("difference", "difference_low", "difference_high"),
    *("score", "ci_low", "ci_high", "ceiling_low", "ceiling_high", "ceiled", "p", "p_fdr", "n"),
    *SCORE_TEXT[8:],
]


@dataclass(frozen=True)
class Made:
    """What a run has made.

    Attributes
    ----------
    stores, images, cards : sequence of path
        Every store; every figure, with its description beside it; benchmark cards of the report.
    """

    stores: Sequence[str]
    images: Sequence[str] = ()
    cards: Sequence[str] = ()

    @cached_property
    def opened(self) -> dict[str, Data]:
        """Every store by its path."""
        return {path: store_access.open(path) for path in self.stores}

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Kind of every store."""
        return {path: str(store.attrs["schema"]) for path, store in self.opened.items()}

    def of_kind(self, kind: str) -> list[str]:
        """Paths of the stores of a kind."""
        return [path for path, found in self.kinds.items() if found == kind]

    def figures(self, *prefixes: str) -> list[str]:
        """Figures whose names begin so, in the order of the prefixes."""
        return [image for prefix in prefixes for image in self.images if Path(image).name.startswith(prefix)]

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Every score."""
        return scores_table({path: self.opened[path] for path in self.of_kind("Scores")})


#: What stores of a kind are, one and several.
_NAMES = {
    "Connectome": ("connectome", "connectomes"),
    "Activity": ("set of traces", "sets of traces"),
    "Responses": ("set of responses", "sets of responses"),
    "Spikes": ("set of spikes", "sets of spikes"),
    "Stack": ("stack of annotations", "stacks of annotations"),
    "Scores": ("table of scores", "tables of scores"),
    "Scaling": ("study of scaling", "studies of scaling"),
    "Compute": ("study of compute scaling", "studies of compute scaling"),
    "Clamp": ("set of clamped cells", "sets of clamped cells"),
}


def summary(made: Made, sources: Mapping[str, Any]) -> str:
    """Sentence under the title."""
    kinds = list(made.kinds.values())
    count = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    listed = ", ".join(f"{number} {_NAMES[kind][number > 1]}" for kind, number in count.items())
    return (
        f"{len(kinds)} stores from {len(sources)} data set{'s' * (len(sources) != 1)} and from simulations: {listed}."
    )


def lines(made: Made) -> list[Line]:
    """Findings of all comparisons and studies in the order of the run, with their figures and cards."""
    figures = {Path(image).stem for image in made.images}
    cards = {Path(card).stem for card in made.cards}
    found = []
    for path in (*made.of_kind("Scores"), *made.of_kind("Scaling")):
        for one in found_findings.findings({path: made.opened[path]}):
            name = Path(path).name.removesuffix(".zarr")
            figure = next(
                (f"{prefix}{name}" for prefix in ("compared_", "scaled_") if f"{prefix}{name}" in figures), ""
            )
            card = f"cards/{name}.html" if name in cards else ""
            found.append(Line(one.text, one.verdict, figure, card))
    return found


def links(made: Made, sources: Mapping[str, Mapping[str, Any]], benchmarks: str | Path | None) -> list[chain.Stage]:
    """The chain of stages with counts and minutes."""
    return chain.stages(made.kinds, sources, len(made.scores), len(made.images), chain.minutes(benchmarks))


def sections(
    made: Made,
    sources: Mapping[str, Mapping[str, Any]],
    unused: Mapping[str, Sequence[str]],
    left_out: Mapping[str, str],
) -> list[Section]:
    """Sections of the page, one for each stage, each with its figures and tables."""
    cards: dict[str, pd.DataFrame | Excerpt] = (
        {"Benchmark cards: what each score is worth": card_table(made.cards)} if made.cards else {}
    )
    together = made.figures("scaled_laws_of_all")
    return [
        Section(
            "Data",
            "data",
            data_note(sources, unused, left_out),
            [Part(tables={"Data and licences": data_table(sources)})],
        ),
        Section(
            "Connectomes and recordings",
            "homogenized",
            "Every source in one schema: the same names, the same direction, the same units. Native traces are in the same stores "
            "as those at the common rate.",
            [
                *(Part(f"Connectomes: {species}", "", figures) for species, figures in _connectomes(made).items()),
                Part(
                    "Recordings",
                    "",
                    made.figures("recordings_", "spikes_", "responses_", "coverage_"),
                    _recordings(made),
                ),
            ],
        ),
        Section(
            "Simulations",
            "simulations",
            "Bitwise the same for any number of partitions, threads and workers.",
            [Part(figures=made.figures("simulated_"))],
        ),
        Section(
            "Scaling",
            "scaling",
            "One model at several sizes: what its statistics keep, what they lose, and what that saves. A verdict needs its whole "
            "95 % interval on one side of the tolerance; what few seeds cannot tell is undetermined.",
            [
                Part(
                    "What do I lose, what do I gain",
                    "All studies together: verdicts by size, laws and exponents of every statistic, those of theory beside them.",
                    together,
                    laws_tables(made.of_kind("Scaling")),
                ),
                Part(
                    "Single studies",
                    figures=[image for image in made.figures("scaled_") if image not in together],
                    tables=scaling_tables(made.of_kind("Scaling")) | compute_tables(made.of_kind("Compute")),
                ),
            ],
        ),
        Section(
            "Comparisons",
            "comparisons",
            "Scores with confidence intervals, nulls and ceilings. Every result is held against its strongest baseline: ▲ better, "
            "= no better, ▼ worse, ? undecided, with the 95 % interval of the difference.",
            [
                Part("Benchmark cards", tables=cards),
                *(Part(_title(image), figures=[image]) for image in made.figures("compared_")),
                Part("All scores", tables={"Scores": made.scores}),
            ],
        ),
        Section(
            "Stores",
            "stores",
            'Every array that this run made. Open one with xarray.open_zarr(path), or xarray.open_datatree(path, engine="zarr") '
            "where it has groups; check all with `allometry verify results/`.",
            [Part(tables={"All stores": store_table(made)})],
        ),
    ]


def _title(image: str) -> str:
    return Description.load(image).title


def _connectomes(made: Made) -> dict[str, list[str | Path | Gallery]]:
    """By species one connectome large and the others small, then all of them side by side."""
    by_species: dict[str, list[str]] = {}
    of_store = {Description.load(image).stores[0]: image for image in made.figures("connectome_")}
    for path, image in of_store.items():
        by_species.setdefault(str(made.opened[path].attrs["species"]) if path in made.opened else "", []).append(image)
    beside = {Description.load(image).stores[0]: image for image in made.figures("connectomes_")}
    found: dict[str, list[str | Path | Gallery]] = {}
    for species, images in by_species.items():
        first = Description.load(images[0]).stores[0]
        found[species] = [Gallery(images[0], images[1:]), *([beside[first]] if first in beside else [])]
    return found


def _recordings(made: Made) -> dict[str, pd.DataFrame | Excerpt]:
    trees = {path: made.opened[path] for path in made.of_kind("Activity")}
    return {"Sets of recordings": recordings_table(trees), "Catalogue: every recording": catalog_table(made.opened)}


def recordings_table(trees: Mapping[str, Data]) -> pd.DataFrame:
    """Comparable numbers of every Activity store, and of those of one species together."""
    groups: dict[str, dict[str, xr.DataTree]] = {}
    for path, tree in trees.items():
        assert isinstance(tree, xr.DataTree)
        groups.setdefault(str(tree.attrs["species"]), {})[Path(path).stem] = tree
    tables = [activity.table(group).rename(index={"all": f"all of {species}"}) for species, group in groups.items()]
    if not tables:
        return pd.DataFrame()
    table = pd.concat(tables)
    rates = table.pop("native_rate_hz")
    table.insert(
        5, "native rate (Hz): lowest, median, highest", [", ".join(f"{rate:.3g}" for rate in row) for row in rates]
    )
    table.columns = [str(column).replace("_", " ") for column in table.columns]
    return table.rename_axis("data set").reset_index()


def catalog_table(opened: Mapping[str, Data]) -> pd.DataFrame:
    """Every recording with species, area, cell type, indicator, stimulus, hours, units and licence; empty columns left out."""
    table = of_stores(opened.items()).drop(columns="citation")
    said = [name for name in table if not (table[name].isna() | (table[name].astype(str) == "")).all()]
    return table[said].rename(columns={"rate_hz": "native rate (Hz)", "cell_type": "cell type"})


def scores_table(trees: Mapping[str, Data]) -> pd.DataFrame:
    """One row per comparison of every Scores store; what a store does not hold is empty.

    `role` tells results from the baselines they must beat and from controls, `verdict` and `null` say in words what came
    of it and what p refers to.
    """
    tables = []
    for path, tree in trees.items():
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


def store_table(made: Made) -> pd.DataFrame:
    """Name, kind, size and content hash of every store."""
    rows = []
    for path, opened in made.opened.items():
        ds = _root(opened)
        rows.append(
            {
                "path": path,
                "kind": ds.attrs["schema"],
                "title": ds.attrs["title"],
                "size": ", ".join(f"{size:,} {dim}" for dim, size in ds.sizes.items()),
                "content sha256": read_manifest(path)["content"]["content_sha256"][:16],
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


def _root(opened: Data) -> xr.Dataset:
    return opened.to_dataset() if isinstance(opened, xr.DataTree) else opened
