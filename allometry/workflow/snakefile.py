"""What the Snakefile asks of the package: the validated configuration, the targets, and where things lie."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allometry import config as configuration
from allometry.config import Config, sessions
from allometry.config.simulate import Point
from allometry.errors import AllometryError
from allometry.pathnames import slug
from allometry.scale.statistics.records import STATISTICS, themes
from allometry.workflow import recording_sessions
from allometry.workflow.checks.names import Registry, check_cluster, check_collections, check_names, stores_of
from allometry.workflow.pictures import Figure, Figures
from allometry.workflow.places import clamps, coarse, feature_runs, run_responses, studies, virtual_recordings
from allometry.workflow.places import compute as compute_places
from allometry.workflow.reach import (
    check_own_files,
    reachable,
    unused_sources,
    used_sources,
    without_optional,
)

# What the Snakefile, the rules and the tests reach through this module
__all__ = ["Figure", "Figures", "check_names", "unused_sources", "used_sources"]


def configure(
    values: Mapping[str, Any], base: str, files: Sequence[Any], *, submits: bool = False, checked: bool = False
) -> tuple[Config, Registry, dict[str, str]]:
    """Validate what Snakemake parsed; on an error print the one message and end the process.

    Gives the configuration without what cannot be made here, the registry, and what was left out, with the reasons.

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
    checked : bool
        Whether the main process has checked the configuration: what networks it describes takes time to find out.
    """
    try:
        # Snakemake has merged the files already, and takes the last of two equal keys without a word.
        for file in files or ["config.yaml"]:
            if Path(file).is_file():
                configuration.require_single_keys(file)
        folders = [Path(file).parent for file in reversed(files)] or [Path()]
        cfg = configured(values, files, folders)
        registry = configuration.load_registry(cfg, base)
        if not checked:
            check_names(cfg, registry)
        check_cluster(cfg, submits=submits)
        registry, absent = without_optional(cfg, registry)
        check_own_files(cfg, registry)
    except AllometryError as error:
        # A traceback through Snakemake's parser would bury the message.
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    cfg, left_out = reachable(cfg, registry)
    used = used_sources(cfg, registry)
    return cfg, registry, left_out | {file: why for file, why in absent.items() if file.partition("/")[0] in used}


def configured(values: Mapping[str, Any], files: Sequence[Any], folders: Sequence[Path]) -> Config:
    """Validated configuration in which the stores of every session are named one by one.

    Parameters
    ----------
    values : mapping
        Parsed YAML.
    files : sequence of path
        Configuration files, for messages.
    folders : sequence of path
        Where plugins are looked for.

    Raises
    ------
    AllometryError
        The configuration is invalid, or the sessions of a collection are not known.
    """
    where = ", ".join(str(file) for file in files) or "config.yaml"
    cfg = configuration.validate(values, where, folders)
    if not cfg.collections:
        return cfg
    check_collections(cfg)
    known = sessions.resolved(cfg.collections, files)
    return configuration.validate(sessions.in_full(values, cfg.collections, known), where, folders)


def source_of(registry: Registry, kind: str, store: str) -> str:
    """Name of the source that a store is made from."""
    return stores_of(registry)[kind, store]


def content_of(registry: Registry, kind: str, store: str) -> dict[str, Any]:
    """What of a registry entry determines the content of a store: not the places of its files, nor its other stores."""
    entry = registry[source_of(registry, kind, store)]
    kept = ("reader", "species", "citation", "licence", "verified", "options", "own")
    return {
        **{key: entry[key] for key in kept if key in entry},
        "files": contents(entry["files"]),
        "stores": {store: {key: value for key, value in entry["stores"][store].items() if key != "published"}},
    }


def memory_mb(registry: Registry, kind: str, store: str) -> int:
    """Memory that the job of a homogenized store asks for, MB."""
    return recording_sessions.memory_mb(registry, source_of(registry, kind, store), kind)


def contents(files: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Names and checksums of files, without the places they come from."""
    return [{"name": file["name"], "sha256": file["sha256"]} for file in files]


def raw_files(registry: Registry, source: str) -> list[str]:
    """Paths of a source's retrieved files."""
    return [f"results/raw/{source}/{file['name']}" for file in registry[source]["files"]]


def raw_manifest(source: str) -> str:
    """Path of the manifest of a source's retrieved files."""
    return f"results/raw/{source}/manifest.json"


def homogenized(kind: str, store: str) -> list[str]:
    """Path of a homogenized store and of its manifest."""
    return _store(f"results/homogenized/{kind}/{store}")


def point(cfg: Config, run: str, name: str) -> Point:
    """The point `name` of a configured run."""
    return next(candidate for candidate in configuration.points(cfg.simulate.runs[run]) if candidate.name == name)


def conditions_of(cfg: Config) -> dict[str, list[str]]:
    """Names of the conditions of every run that has some: each of its jobs makes a store for every one of them."""
    return {
        name: list(run.conditions)
        for name, run in cfg.simulate.runs.items()
        if isinstance(run, configuration.NetworkRun) and run.conditions
    }


def without_conditions(cfg: Config) -> str:
    """Expression for the runs of networks whose jobs make one store each; it matches nothing where there are none."""
    others = {*conditions_of(cfg), *feature_runs.feature_runs(cfg)}
    return "|".join(name for name in cfg.simulate.runs if name not in others) or "(?!)"


def batch(cfg: Config, run: str, job: str) -> dict[str, Any]:
    """What determines the stores of a job with conditions: the parameters that they share, and every condition by name."""
    members = [candidate for candidate in configuration.points(cfg.simulate.runs[run]) if candidate.job == job]
    shared = {key: value for key, value in members[0].parameters.items() if key != "condition"}
    return {**shared, "conditions": [member.parameters["condition"] for member in members]}


def batch_stores(cfg: Config, run: str, job: str) -> list[str]:
    """Path of the connectome that a job with conditions reads and of its manifest; empty where it reads none."""
    connectome = batch(cfg, run, job)["connectome"]
    return homogenized("connectome", connectome) if connectome else []


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


def cards(cfg: Config) -> list[str]:
    """Paths of the benchmark cards of all comparisons, as the compare stage writes them."""
    return [f"results/compared/{comparison}.cards.json" for comparison in cfg.compare.comparisons]


def card_pages(cfg: Config, suffix: str) -> list[str]:
    """Paths of the benchmark cards of all comparisons in the report, as `json` or as `html`."""
    return [f"results/report/cards/{comparison}.{suffix}" for comparison in cfg.compare.comparisons]


def recoveries(cfg: Config) -> list[str]:
    """Paths of the Scores of every model recovery, which the cards quote, and of their manifests."""
    comparisons = cfg.compare.comparisons.items()
    return [path for name, entry in comparisons if entry.kind == "model_recovery" for path in compared(name)]


def comparison_stores(cfg: Config, comparison: str) -> dict[str, str]:
    """Path of every store that a comparison reads, by name; points of a run go by their own names."""
    entry = cfg.compare.comparisons[comparison]
    read = {
        name: virtual_recordings.read(cfg, kind, name) or homogenized(kind, name)[0] for kind, name in entry.stores()
    }
    if entry.reads_responses:
        return read | {run: run_responses.responses_of(run)[0] for run in entry.runs()}
    for run in entry.runs():
        for candidate in configuration.points(cfg.simulate.runs[run]):
            read[candidate.name] = _store(f"results/simulated/{run}/{candidate.name}")[0]
    return read


def targets(cfg: Config, registry: Registry) -> dict[str, list[str]]:
    """Files of each target rule: stores together with their manifests; `all` comes with the report page."""
    retrieved = [
        path for source in used_sources(cfg, registry) for path in [*raw_files(registry, source), raw_manifest(source)]
    ]
    stage = {
        "homogenize": [
            path
            for kind, names in cfg.homogenize.stores().items()
            for name in names
            for path in homogenized(kind, name)
        ]
        + (homogenized("connectome", "worm_stack") if cfg.homogenize.worm_stack else []),
        "simulate": [
            *(path for run in cfg.simulate.runs for path in simulated(cfg, run)),
            *(path for run in run_responses.with_responses(cfg) for path in run_responses.responses_of(run)),
            *(path for name in cfg.simulate.recordings for path in virtual_recordings.recorded(name)),
            *(path for name in cfg.simulate.clamps for path in clamps.clamped(name)),
        ],
        "scale": [
            *(path for study in cfg.scale.studies for path in studies.scaled(study)),
            *(path for study in cfg.scale.compute for path in compute_places.scaled(study)),
            *(path for name in cfg.scale.coarse for path in coarse.made(name)),
        ],
        "compare": [*(path for name in cfg.compare.comparisons for path in compared(name)), *cards(cfg)],
    }
    report = ["results/report/index.html", *card_pages(cfg, "html"), *card_pages(cfg, "json")]
    return {"retrieve": retrieved, **stage, "all": [*(path for paths in stage.values() for path in paths), *report]}


def zarrs(paths: Sequence[str]) -> list[str]:
    """Those paths that are stores."""
    return [path for path in paths if path.endswith(".zarr")]


def manifests(paths: Sequence[str]) -> list[str]:
    """Those paths that are manifests of stores."""
    return [path for path in paths if path.endswith(".manifest.json")]


def figures(cfg: Config, registry: Registry) -> dict[str, Figures]:
    """All figures of the report, by kind of result; those of a section of the page in the order in which they stand there."""
    return {
        "connectomes": Figures(
            _of_species(cfg, registry, "connectome", "connectomes_", "connectomes") | _single(cfg, "connectome")
        ),
        "recordings": Figures(
            # coverage is a question about several sources on one axis
            _of_species(cfg, registry, "activity", "coverage_", "coverage")
            | {f"recordings_{name}": Figure("recordings", _first("activity", name)) for name in cfg.homogenize.activity}
            | {f"responses_{name}": Figure("responses", _first("responses", name)) for name in cfg.homogenize.responses}
            | {f"spikes_{name}": Figure("spikes", _first("spikes", name)) for name in cfg.homogenize.spikes}
        ),
        "simulations": Figures(
            {f"simulated_{name}": _of_run(cfg, name) for name in cfg.simulate.runs}
            | {
                f"simulated_responses_of_{name}": Figure("tuning", tuple(run_responses.drawn(cfg, name).values()))
                for name in run_responses.with_responses(cfg)
                if cfg.simulate.runs[name].kind == "network"
            }
            | {name: Figure(plot, (path,)) for name, plot, path in [*virtual_recordings.drawn(cfg), *clamps.drawn(cfg)]}
        ),
        "studies": Figures(
            _of_all_studies(cfg)
            | {
                figure: drawn
                for name, study in cfg.scale.studies.items()
                for figure, drawn in _of_study(name, study).items()
            }
            | {
                f"scaled_conditions_of_{name}": Figure("conditions", (studies.scaled(name)[0],))
                for name, study in cfg.scale.studies.items()
                if studies.sweeps(study)
            }
            | {f"scaled_compute_of_{n}": Figure("compute", (compute_places.scaled(n)[0],)) for n in cfg.scale.compute}
            | {f"scaled_{name}": Figure("coarse", (coarse.made(name)[0],)) for name in cfg.scale.coarse}
        ),
        "comparisons": Figures(
            {f"compared_{name}": Figure("comparison", (compared(name)[0],)) for name in cfg.compare.comparisons}
        ),
    }


def _of_all_studies(cfg: Config) -> dict[str, Figure]:
    """What all studies lose and gain, together, where there are several."""
    paths = tuple(studies.scaled(name)[0] for name in cfg.scale.studies)
    return {"scaled_laws_of_all": Figure("laws", paths)} if len(paths) > 1 else {}


def _of_study(name: str, study: configuration.StudyConfig) -> dict[str, Figure]:
    """The overview of a study, and its statistics against size: those of a theme together where there are many."""
    store = (studies.scaled(name)[0],)
    found = {f"scaled_{name}": Figure("study", store)}
    for theme, chosen in themes(study.statistics).items():
        options = {"chosen": chosen, "theme": theme} if theme else {}
        found[f"scaled_{theme or 'statistics'}_of_{name}"] = Figure("statistics", store, options)
    if any(name in STATISTICS and STATISTICS[name].theme == "distance" for name in study.statistics):
        found[f"scaled_correlations_of_{name}"] = Figure("distance", store)
    return found


def _first(kind: str, name: str) -> tuple[str]:
    return (homogenized(kind, name)[0],)


def _single(cfg: Config, kind: str) -> dict[str, Figure]:
    return {f"{kind}_{name}": Figure(kind, _first(kind, name)) for name in getattr(cfg.homogenize, kind)}


def _of_species(cfg: Config, registry: Registry, kind: str, prefix: str, plot: str) -> dict[str, Figure]:
    """A figure of all stores of a species, where there are several."""
    groups: dict[str, list[str]] = {}
    for name in getattr(cfg.homogenize, kind):
        species = slug(str(registry[source_of(registry, kind, name)]["species"]))
        groups.setdefault(prefix + species, []).append(homogenized(kind, name)[0])
    return {group: Figure(plot, tuple(paths)) for group, paths in groups.items() if len(paths) > 1}


def _of_run(cfg: Config, name: str) -> Figure:
    run = cfg.simulate.runs[name]
    paths = tuple(_store(f"results/simulated/{name}/{entry.name}")[0] for entry in configuration.points(run))
    if isinstance(run, configuration.FeatureRun):
        return Figure("features", paths)
    if not isinstance(run, configuration.NetworkRun):
        return Figure("propagation", paths)
    return Figure("spikes", paths, {"window_ms": cfg.report.raster_ms, "units": cfg.report.raster_units})


def _store(stem: str) -> list[str]:
    return [f"{stem}.zarr", f"{stem}.manifest.json"]
