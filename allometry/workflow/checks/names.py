"""What a configuration may name: checked when the workflow is parsed, so that a misspelt name costs no simulation."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from allometry.config import Config, FeatureRun
from allometry.config.simulate import NetworkRun
from allometry.errors import ConfigError, ReaderError
from allometry.hints import hint
from allometry.homogenize.options import check, complete
from allometry.homogenize.readers import READERS
from allometry.models.catalogue.records import MODELS
from allometry.models.features import FEATURE_MODELS
from allometry.pathnames import EXPECTED, is_name, nearest_name
from allometry.retrieve.recipes import fields
from allometry.workflow.checks.comparisons import check_comparisons, check_kind_of_recording
from allometry.workflow.checks.compute import check_compute
from allometry.workflow.checks.features import check_feature_run
from allometry.workflow.checks.runs import check_points, check_types
from allometry.workflow.checks.studies import check_studies
from allometry.workflow.places import virtual_recordings
from allometry.workflow.places.clamps import check_clamps
from allometry.workflow.places.virtual_recordings import check_recordings

Registry = dict[str, dict[str, Any]]
WORM = "Caenorhabditis elegans"


def stores_of(registry: Registry) -> dict[tuple[str, str], str]:
    """Source by (kind, store): a source makes the stores it lists."""
    return {
        (entry["kind"], store): source
        for source, values in registry.items()
        for store, entry in values["stores"].items()
    }


def check_names(cfg: Config, registry: Registry) -> None:
    """Refuse a configuration that names what does not exist, or what does not fit together.

    Raises
    ------
    ConfigError
        The key, what is valid there, and the nearest valid name.
    """
    _check_labels(cfg)
    _check_readers(cfg, registry)
    _check_stores(cfg, registry)
    _check_options(cfg, registry)
    for label, run in cfg.simulate.runs.items():
        if isinstance(run, FeatureRun):
            check_feature_run(f"simulate.runs.{label}", run)
            continue
        if isinstance(run, NetworkRun):
            _check_model(f"simulate.runs.{label}", run)
        check_points(f"simulate.runs.{label}", run, cfg.simulate)
    check_recordings(cfg, (store for _, store in stores_of(registry)))
    check_clamps(cfg)
    check_studies(cfg)
    check_compute(cfg)
    check_comparisons(cfg)


def _check_labels(cfg: Config) -> None:
    for where, names in (
        ("simulate.runs", cfg.simulate.runs),
        ("scale.studies", cfg.scale.studies),
        ("scale.coarse", cfg.scale.coarse),
        ("compare.comparisons", cfg.compare.comparisons),
        ("datasets", cfg.datasets),
    ):
        for name in names:
            if not is_name(name):
                raise ConfigError(
                    f"{name!r} is no valid name",
                    where=where,
                    expected=EXPECTED,
                    do=f"write for example {nearest_name(name)!r}",
                )


def _check_readers(cfg: Config, registry: Registry) -> None:
    for name, entry in registry.items():
        # a shipped source without stores is retrieved only: nothing reads it
        if entry["reader"] not in READERS and (entry["stores"] or name in cfg.datasets):
            place = "datasets" if name in cfg.datasets else cfg.registry
            raise _unknown(entry["reader"], READERS, f"{place}.{name}.reader", "reader")
        if ("connectome", "worm_stack") in ((store["kind"], key) for key, store in entry["stores"].items()):
            raise ConfigError(
                "'worm_stack' is the name of the stack of connectomes",
                where=f"datasets.{name}.stores",
                do="give the store another name",
            )


def _check_stores(cfg: Config, registry: Registry) -> None:
    known = stores_of(registry)
    wanted = [(f"homogenize.{kind}", kind, name) for kind, names in cfg.homogenize.stores().items() for name in names]
    wanted += [("homogenize.worm_stack", "connectome", name) for name in cfg.homogenize.worm_stack]
    for label, run in cfg.simulate.runs.items():
        wanted += [(f"simulate.runs.{label}.connectome", "connectome", name) for name in run.connectome]
    for label, comparison in cfg.compare.comparisons.items():
        where = f"compare.comparisons.{label}"
        for kind, name in comparison.stores():
            if not virtual_recordings.named(cfg, kind, name):
                check_kind_of_recording(cfg, where, kind, name)
                wanted.append((where, kind, name))
    for where, kind, name in wanted:
        if (kind, name) not in known:
            valid = [store for of_kind, store in known if of_kind == kind]
            raise ConfigError(
                f"no data set makes a store {name!r} of kind {kind}",
                where=where,
                expected="one of " + ", ".join(sorted(valid)),
                do=hint(name, valid) + ", or describe the data set under `datasets` in your configuration",
            )
    for name in cfg.homogenize.worm_stack:
        species = registry[known["connectome", name]]["species"]
        if species != WORM:
            worms = [s for (k, s), source in known.items() if k == "connectome" and registry[source]["species"] == WORM]
            raise ConfigError(
                f"{name!r} is a connectome of {species}",
                where="homogenize.worm_stack",
                expected=f"connectomes of {WORM}: {', '.join(sorted(worms))}",
                do=hint(name, worms) + ", or remove it",
            )


def _check_options(cfg: Config, registry: Registry) -> None:
    known = stores_of(registry)
    names = {store for _, store in known}
    configured = {name for stores in cfg.homogenize.stores().values() for name in stores}
    configured |= {name for comparison in cfg.compare.comparisons.values() for _, name in comparison.stores()}
    configured |= {name for run in cfg.simulate.runs.values() for name in run.connectome}
    configured |= set(cfg.homogenize.worm_stack)
    for store, options in cfg.homogenize.options.items():
        where = f"homogenize.options.{store}"
        if store not in names:
            raise _unknown(store, names, where, "store")
        if store not in configured:
            raise ConfigError(
                f"options are given for the store {store!r}, which is not made",
                where=where,
                expected="a store that is configured: " + (", ".join(sorted(configured)) or "(none is)"),
                do=hint(store, configured) + ", or add the store under `homogenize`",
            )
        for source in {source for (_, name), source in known.items() if name == store}:
            _check_reader_options(registry[source]["reader"], options, where)
    for name, own in cfg.datasets.items():
        filling = fields(own.model_dump(exclude_none=True))
        given = {key: value for key, value in own.options.items() if key not in filling}
        _check_reader_options(own.reader, given, f"datasets.{name}.options")
        kinds = READERS[own.reader].kinds
        if own.stores is None:
            for kind, stores in cfg.homogenize.stores().items():
                if name in stores and kind not in kinds:
                    raise ConfigError(
                        f"the reader {own.reader!r} makes no store of kind {kind}",
                        where=f"homogenize.{kind}",
                        expected=f"{name!r} under {' or '.join(f'homogenize.{one}' for one in kinds)}",
                        do="name the store there, or choose another reader",
                    )
        for store, entry in (own.stores or {}).items():
            _check_reader_options(own.reader, entry.options, f"datasets.{name}.stores.{store}.options")
            if entry.kind not in kinds:
                raise _unknown(
                    entry.kind, kinds, f"datasets.{name}.stores.{store}.kind", f"kind of the reader {own.reader}"
                )
    for (_, store), source in known.items():
        if store in configured:
            _check_complete(cfg, registry, store, source)


def check_collections(cfg: Config) -> None:
    """Refuse collections whose reader, options or kinds of store do not fit, before an archive is asked.

    Raises
    ------
    ConfigError
        The key, what is valid there, and the nearest valid name.
    """
    for name, collection in cfg.collections.items():
        where = f"collections.{name}"
        if not is_name(name):
            raise ConfigError(
                f"{name!r} is no valid name", where="collections", expected=EXPECTED, do=f"write {nearest_name(name)!r}"
            )
        reader = collection.reads_with
        if reader not in READERS:
            raise _unknown(reader, READERS, f"{where}.reader", "reader")
        _check_reader_options(reader, collection.options, f"{where}.options")
        for ending, entry in collection.stores.items():
            _check_reader_options(reader, entry.options, f"{where}.stores.{ending}.options")
            if entry.kind not in READERS[reader].kinds:
                kinds = READERS[reader].kinds
                raise _unknown(entry.kind, kinds, f"{where}.stores.{ending}.kind", f"kind of the reader {reader}")


def _check_reader_options(reader: str, options: Mapping[str, Any], where: str) -> None:
    """Refuse options that a reader does not have, and values that it does not accept."""
    try:
        if options:
            check(READERS[reader].options, options, where, reader)
    except ReaderError as error:
        raise ConfigError(error.what, where=error.where, expected=error.expected, do=error.do) from None


def _check_complete(cfg: Config, registry: Registry, store: str, source: str) -> None:
    """Refuse options of the registry that the reader of a configured store does not have, and a required one that is missing."""
    entry = registry[source]
    where = f"{'datasets' if source in cfg.datasets else cfg.registry}.{source}"
    options = {**entry["options"], **entry["stores"][store]["options"], **cfg.homogenize.options.get(store, {})}
    try:
        complete(READERS[entry["reader"]].options, options, f"{where}.stores.{store}.options", entry["reader"])
    except ReaderError as error:
        raise ConfigError(error.what, where=error.where, expected=error.expected, do=error.do) from None


def _check_model(where: str, run: NetworkRun) -> None:
    model = MODELS.get(run.model)
    if model is None:
        raise _unknown(run.model, MODELS, f"{where}.model", "model")
    if run.model in FEATURE_MODELS:
        raise ConfigError(
            f"{run.model} is a network of rate units, which has no spikes to record",
            where=f"{where}.kind",
            expected="`kind: feature`: its trials become a Responses store",
            do="set the kind, and remove duration_ms, record and conditions",
        )
    for parameter in run.parameters:
        if parameter not in model.parameters:
            at = f"{where}.parameters.{parameter}"
            raise _unknown(parameter, model.parameters, at, f"parameter of the model {run.model}")
    check_types(where, run)
    if model.needs_connectome and not run.connectome:
        raise ConfigError(
            f"the model {run.model} is built on a connectome, and none is named",
            where=f"{where}.connectome",
            expected="one or more stores of kind connectome",
            do="add the key, for example `connectome: [cook2019_hermaphrodite]`",
        )
    if run.connectome and not model.needs_connectome:
        takes = [name for name, other in MODELS.items() if other.needs_connectome]
        raise ConfigError(
            f"the model {run.model} takes no connectome",
            where=f"{where}.connectome",
            expected=f"no connectome, or one of the models {', '.join(takes)}",
            do=f"remove the key, or set `model: {takes[0]}`",
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


def _unknown(name: str, valid: Iterable[str], where: str, what: str) -> ConfigError:
    valid = sorted(valid)
    return ConfigError(
        f"unknown {what} {name!r}",
        where=where,
        expected="one of " + (", ".join(valid) or "(none is configured)"),
        do=hint(name, valid),
    )
