"""What a comparison may read: runs, stores and virtual recordings of the kinds that it takes."""

from typing import Any

from allometry.config import Config
from allometry.config.simulate import points
from allometry.errors import ConfigError
from allometry.hints import hint
from allometry.workflow.places import virtual_recordings


def check_comparisons(cfg: Config) -> None:
    """Refuse comparisons that name what does not exist, or what they cannot read.

    Raises
    ------
    ConfigError
        The key, what is valid there, and the nearest valid name.
    """
    runs = cfg.simulate.runs
    for label, comparison in cfg.compare.comparisons.items():
        where = f"compare.comparisons.{label}"
        kinds: dict[str, str] = {}
        for kind, name in comparison.stores():
            if kinds.setdefault(name, kind) != kind:
                raise ConfigError(
                    f"the comparison reads two stores of the name {name!r}: {kinds[name]} and {kind}",
                    where=where,
                    expected="stores of different names",
                    do="rename one under `stores` of its data set",
                )
        for name in comparison.runs():
            if name not in runs:
                raise ConfigError(
                    f"no simulation run is called {name!r}",
                    where=f"{where}.{comparison.run_key}",
                    expected="one of " + (", ".join(runs) or "(no runs are configured)"),
                    do=hint(name, runs) + ", or add the run under simulate.runs",
                )
            run = runs[name]
            # a feature model has responses, and nothing else
            readable = [comparison.run_kind, *(["feature"] if comparison.reads_responses else [])]
            if run.kind not in readable:
                fitting = [other for other, entry in runs.items() if entry.kind in readable]
                raise ConfigError(
                    f"the run {name!r} is of kind {run.kind}, which this comparison cannot read",
                    where=f"{where}.{comparison.run_key}",
                    expected=f"a run of kind {' or '.join(readable)}: "
                    + (", ".join(fitting) or "(none is configured)"),
                    do=hint(name, fitting) if fitting else f"add a run of kind {comparison.run_kind}",
                )
            if comparison.reads_responses and getattr(run, "responses", None) is None:
                able = [other for other, entry in runs.items() if getattr(entry, "responses", None) is not None]
                raise ConfigError(
                    f"the run {name!r} has no responses",
                    where=f"{where}.{comparison.run_key}",
                    expected="a run with responses: " + (", ".join(able) or "(none is configured)"),
                    do="add `responses: {populations: [...]}` to the run",
                )
            structure = getattr(comparison, "structure", run.connectome)
            if missing := [store for store in run.connectome if store not in structure]:
                raise ConfigError(
                    f"the run {name!r} simulates connectomes that the comparison does not list: {', '.join(missing)}",
                    where=f"{where}.structure",
                    expected="every connectome of the run: " + ", ".join(run.connectome),
                    do=f"add {', '.join(missing)}",
                )
        _check_warm_up(cfg, comparison, where)
        _check_reference(cfg, comparison, where)


def _check_warm_up(cfg: Config, comparison: Any, where: str) -> None:
    skipped = getattr(comparison, "skip_ms", 0.0)
    for name in comparison.runs():
        if skipped >= (duration := getattr(cfg.simulate.runs[name], "duration_ms", float("inf"))):
            raise ConfigError(
                f"nothing is left of the run {name!r} of {duration:g} ms when {skipped:g} ms of warm-up are skipped",
                where=f"{where}.skip_ms",
                expected=f"less than {duration:g} ms",
                do="lengthen the run, or set skip_ms",
            )


def _check_reference(cfg: Config, comparison: Any, where: str) -> None:
    reference = getattr(comparison, "reference", None)
    if reference is None:
        return
    from allometry.compare.kinds.spike_statistics.ensembles import without_seed

    found = [
        (point.name, cfg.simulate.runs[run]) for run in comparison.runs() for point in points(cfg.simulate.runs[run])
    ]
    names = dict.fromkeys(without_seed(name, getattr(run, "model", name)) for name, run in found)
    names |= dict.fromkeys(name for _, name in comparison.stores())
    if reference not in names and reference not in dict(found):
        raise ConfigError(
            f"{reference!r} is nothing that this comparison reads",
            where=f"{where}.reference",
            expected="one of " + (", ".join(names) or "(it reads nothing)"),
            do=hint(reference, names),
        )


def check_kind_of_recording(cfg: Config, where: str, kind: str, name: str) -> None:
    """Refuse a virtual recording in the place of a store of another kind.

    Raises
    ------
    ConfigError
        What kind it is, and which recordings are of the kind that is read.
    """
    if (entry := cfg.simulate.recordings.get(name)) is None:
        return
    able = [other for other in cfg.simulate.recordings if virtual_recordings.named(cfg, kind, other)]
    raise ConfigError(
        f"the virtual recording {name!r} is a store of kind {entry.store_kind}",
        where=where,
        expected=f"a store of kind {kind}" + (f", such as {', '.join(able)}" if able else ""),
        do=f"name it where the comparison reads {entry.store_kind}"
        if kind != "connectome"
        else "name a connectome: a recording is none",
    )
