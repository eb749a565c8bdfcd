"""What the Snakefile asks of the package: the validated configuration, the targets, and where things lie."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allometry import config as configuration
from allometry.config import Config, Point
from allometry.errors import AllometryError, ConfigError
from allometry.homogenize.worm_neurons import NEURONS

Registry = dict[str, dict[str, Any]]


def configure(
    values: Mapping[str, Any], base: str, files: Sequence[Any], *, submits: bool = False
) -> tuple[Config, Registry]:
    """Validate what Snakemake parsed; on an error print the one message and end the process.

    Parameters
    ----------
    values : mapping
        Snakemake's `config`.
    base : str
        Folder of the Snakefile, which relative paths of shipped files refer to.
    files : sequence of path
        Configuration files given on the command line, for the message; empty stands for config.yaml.
    submits : bool
        Whether Snakemake submits its jobs to a cluster.
    """
    try:
        cfg = configuration.validate(values, ", ".join(str(file) for file in files) or "config.yaml")
        registry = configuration.load_registry(cfg, base)
        check_names(cfg, registry)
        check_cluster(cfg, submits=submits)
    except AllometryError as error:
        # A traceback through Snakemake's parser would bury the message.
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    return cfg, registry


def mirror(cfg: Config) -> str | None:
    """Folder that is tried before any network: the configured one, else the environment variable ALLOMETRY_MIRROR."""
    return cfg.mirror or os.environ.get("ALLOMETRY_MIRROR") or None


def stores_of(registry: Registry) -> dict[tuple[str, str], str]:
    """Source by (kind, store): a source makes the stores it lists."""
    return {
        (entry["kind"], store): source
        for source, values in registry.items()
        for store, entry in values["stores"].items()
    }


def source_of(registry: Registry, kind: str, store: str) -> str:
    """Name of the source that a store is made from."""
    return stores_of(registry)[kind, store]


def raw_files(registry: Registry, source: str) -> list[str]:
    """Paths of a source's retrieved files."""
    return [f"results/raw/{source}/{file['name']}" for file in registry[source]["files"]]


def homogenized(kind: str, store: str) -> list[str]:
    """Path of a homogenized store and of its manifest."""
    return _store(f"results/homogenized/{kind}/{store}")


def point(cfg: Config, run: str, name: str) -> Point:
    """The point `name` of a configured run."""
    return next(candidate for candidate in configuration.points(cfg.simulate.runs[run]) if candidate.name == name)


def point_stores(cfg: Config, run: str, name: str) -> list[str]:
    """Path of the connectome that a point reads and of its manifest; empty where it reads none."""
    connectome = point(cfg, run, name).connectome
    return homogenized("connectome", connectome) if connectome else []


def simulated(cfg: Config, run: str) -> list[str]:
    """Paths of all stores of a run and of their manifests."""
    return [
        path
        for entry in configuration.points(cfg.simulate.runs[run])
        for path in _store(f"results/simulated/{run}/{entry.name}")
    ]


def compared(comparison: str) -> list[str]:
    """Path of the Scores of a comparison and of its manifest."""
    return _store(f"results/compared/{comparison}")


def comparison_stores(cfg: Config, comparison: str) -> dict[str, str]:
    """Path of every store that a comparison reads, by name; points of a run go by their own names."""
    entry = cfg.compare.comparisons[comparison]
    read = {name: homogenized(kind, name)[0] for kind, name in entry.stores()}
    for run in entry.runs():
        for candidate in configuration.points(cfg.simulate.runs[run]):
            read[candidate.name] = _store(f"results/simulated/{run}/{candidate.name}")[0]
    return read


def targets(cfg: Config) -> dict[str, list[str]]:
    """Files of each target rule: stores together with their manifests; `all` comes with the report page."""
    stage = {
        "homogenize": [
            path
            for kind, names in cfg.homogenize.stores().items()
            for name in names
            for path in homogenized(kind, name)
        ]
        + (homogenized("connectome", "worm_stack") if cfg.homogenize.worm_stack else []),
        "simulate": [path for run in cfg.simulate.runs for path in simulated(cfg, run)],
        "compare": [
            path
            for comparison in cfg.compare.comparisons
            for path in [*compared(comparison), f"results/compared/{comparison}.cards.json"]
        ],
    }
    return {**stage, "all": [*(path for paths in stage.values() for path in paths), "results/report/index.html"]}


@dataclass(frozen=True)
class Figures:
    """Figures of one kind of result: for each its name, and the stores it is drawn from by name."""

    stores: dict[str, dict[str, str]] = field(default_factory=dict)

    def files(self) -> list[str]:
        """Every store and its manifest."""
        zarrs = dict.fromkeys(path for figure in self.stores.values() for path in figure.values())
        return [path for zarr in zarrs for path in (zarr, zarr.removesuffix(".zarr") + ".manifest.json")]

    def images(self) -> list[str]:
        """The files that are drawn."""
        return [f"results/report/figures/{name}.png" for name in self.stores]

    def texts(self) -> list[str]:
        """Their descriptions."""
        return [f"results/report/figures/{name}.json" for name in self.stores]


def figures(cfg: Config, registry: Registry) -> dict[str, Figures]:
    """All figures of the report, by kind of result."""
    connectomes: dict[str, dict[str, str]] = {}
    for name in cfg.homogenize.connectome:
        group = "connectomes_" + _species(registry, "connectome", name)
        connectomes.setdefault(group, {})[name] = homogenized("connectome", name)[0]
    recordings: dict[str, dict[str, str]] = {}
    for name in cfg.homogenize.activity:
        group = "coverage_" + _species(registry, "activity", name)
        recordings.setdefault(group, {})[name] = homogenized("activity", name)[0]
    # Coverage is a question about several sources on one axis.
    recordings = {group: paths for group, paths in recordings.items() if len(paths) > 1}
    for name in cfg.homogenize.activity:
        recordings[f"recordings_{name}"] = {name: homogenized("activity", name)[0]}
    return {
        "connectomes": Figures(connectomes),
        "recordings": Figures(recordings),
        "simulations": Figures(
            {
                f"simulated_{name}": {
                    entry.name: _store(f"results/simulated/{name}/{entry.name}")[0]
                    for entry in configuration.points(run)
                }
                for name, run in cfg.simulate.runs.items()
            }
        ),
        "comparisons": Figures({f"compared_{name}": {name: compared(name)[0]} for name in cfg.compare.comparisons}),
    }


def _species(registry: Registry, kind: str, store: str) -> str:
    return str(registry[source_of(registry, kind, store)]["species"]).lower().replace(" ", "_")


def report_options(cfg: Config) -> dict[str, Any]:
    """Report part of the configuration, with the canonical axis of each species that has one."""
    return {**cfg.report.model_dump(), "axes": {"Caenorhabditis elegans": list(NEURONS)}}


def used_sources(cfg: Config, registry: Registry) -> Registry:
    """Registry entries of the sources that the configured stores are made from."""
    used = {source_of(registry, kind, name) for kind, names in cfg.homogenize.stores().items() for name in names}
    return {name: entry for name, entry in registry.items() if name in used}


def unused_sources(cfg: Config, registry: Registry) -> list[str]:
    """Registered sources that this configuration does not use, with whether they need a network or a mirror."""
    return sorted(set(registry) - set(used_sources(cfg, registry)))


def out_of_reach(cfg: Config, registry: Registry) -> dict[str, str]:
    """Registered sources that cannot be had without a network (or a file of the user's own), and why.

    A source is at hand when each of its files is there already, in the mirror, a file of the user's own, or inside a package
    (the machine's own package index counts as at hand).
    """
    folder = mirror(cfg)
    reasons = {}
    for name, entry in registry.items():
        missing = [file for file in entry["files"] if not _at_hand(name, file, folder)]
        if missing:
            https = all(any(_place(place).startswith("https:") for place in file["places"]) for file in missing)
            reasons[name] = f"{len(missing)} of {len(entry['files'])} files " + (
                "need a download"
                if https
                else "are in no public place known to us: they need a mirror or files of your own"
            )
    return reasons


def network_note(cfg: Config, registry: Registry) -> str:
    """Sentence that says which data sets are not at hand, and which of them this configuration asks for."""
    missing = out_of_reach(cfg, registry)
    asked = set(used_sources(cfg, registry))
    lines = [f"Not at hand without a network{' (mirror: ' + str(mirror(cfg)) + ')' if mirror(cfg) else ''}:"]
    for name, reason in sorted(missing.items()):
        made = "asked for by this configuration" if name in asked else "not made by this configuration"
        lines.append(f"  {name}: {reason}; {made}")
    return "\n".join(lines) if missing else "All registered data sets are at hand."


def _at_hand(source: str, file: dict[str, Any], folder: str | None) -> bool:
    if Path("results/raw", source, file["name"]).is_file():
        return True
    for place in map(_place, file["places"]):
        kind, _, rest = place.partition(":")
        if kind == "pypi" or (kind == "file" and Path(rest).is_file()):
            return True
        if kind == "mirror" and folder and Path(folder, rest).is_file():
            return True
    return False


def _place(entry: str | dict[str, str]) -> str:
    return entry if isinstance(entry, str) else entry["place"]


def check_names(cfg: Config, registry: Registry) -> None:
    """Refuse a configuration that names stores which no source makes."""
    known = stores_of(registry)
    wanted = [(kind, name) for kind, names in cfg.homogenize.stores().items() for name in names]
    wanted += [("connectome", name) for name in cfg.homogenize.worm_stack]
    wanted += [("connectome", name) for run in cfg.simulate.runs.values() for name in run.connectome]
    wanted += [pair for comparison in cfg.compare.comparisons.values() for pair in comparison.stores()]
    for kind, name in wanted:
        if (kind, name) not in known:
            raise ConfigError(
                f"no data set makes a store {name!r} of kind {kind}",
                where=f"homogenize.{kind}, a run's connectome or a comparison",
                expected="one of " + ", ".join(sorted(store for of_kind, store in known if of_kind == kind)),
                do="correct the name, or describe the data set under `datasets` in your configuration",
            )
    for label, comparison in cfg.compare.comparisons.items():
        for run in comparison.runs():
            if run not in cfg.simulate.runs:
                raise ConfigError(
                    f"no simulation run is called {run!r}",
                    where=f"compare.comparisons.{label}.run",
                    expected="one of " + (", ".join(cfg.simulate.runs) or "(no runs are configured)"),
                    do="correct the name, or add the run under simulate.runs",
                )


def check_cluster(cfg: Config, *, submits: bool) -> None:
    """Refuse combinations of Dask cluster and Snakemake executor that cannot work."""
    inside_job = "SLURM_JOB_ID" in os.environ
    if cfg.cluster.kind == "slurm" and (submits or inside_job):
        raise ConfigError(
            "a job that waits for further jobs can deadlock a full partition",
            where="cluster.kind: slurm, while Snakemake itself submits jobs or runs inside one",
            expected="`local` or `allocation` in submitted jobs; `slurm` only where Snakemake runs its jobs on the login node",
            do="set cluster.kind to local",
        )
    if cfg.cluster.kind == "allocation" and not (submits or inside_job):
        raise ConfigError(
            "there is no allocation to use: this is no SLURM job, and no jobs are submitted",
            where="cluster.kind: allocation",
            expected="--executor slurm, or a run inside srun or sbatch",
            do="set cluster.kind to local",
        )


def _store(stem: str) -> list[str]:
    return [f"{stem}.zarr", f"{stem}.manifest.json"]
