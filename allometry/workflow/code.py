"""Fingerprints of the code that the jobs of each rule run: of its script, and of what the configuration names."""

from collections.abc import Iterable
from pathlib import Path

from allometry import plugins
from allometry.code.fingerprint import fingerprint
from allometry.compare.kinds import module_of
from allometry.config import Config, FeatureRun, PropagationRun
from allometry.homogenize.readers import NAMES, READERS
from allometry.models.catalogue.records import MODELS, Model
from allometry.models.features import FEATURE_MODELS, FeatureModel
from allometry.scale.features import statistics as feature_statistics  # noqa: F401 - the same
from allometry.scale.features import trials as trial_statistics  # noqa: F401 - the same
from allometry.scale.statistics import activity, distance, selectivity  # noqa: F401 - register those of the package
from allometry.scale.statistics.records import STATISTICS
from allometry.workflow.checks.names import Registry

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def of_script(script: str, *packages: str) -> str:
    """Code of a script, and of packages that it looks into by name.

    Parameters
    ----------
    script : str
        Name of a file in `scripts/`, without `.py`.
    *packages : str
        Dotted names.

    Returns
    -------
    str
        Fingerprint.
    """
    return fingerprint(SCRIPTS / f"{script}.py", *packages)


def of_reader(registry: Registry, source: str) -> str:
    """Code that homogenizes a store of a source: that of its reader, and of no other."""
    name = registry[source]["reader"]
    module = f"allometry.homogenize.readers.{name}" if name in NAMES else READERS[name].read.__module__
    return fingerprint(SCRIPTS / "homogenize_store.py", *_parts(module))


def of_run(cfg: Config, run: str) -> str:
    """Code that simulates the points of a run: that of its model, and of no other."""
    entry = cfg.simulate.runs[run]
    if isinstance(entry, PropagationRun):
        return fingerprint(SCRIPTS / "simulate_point.py")
    if isinstance(entry, FeatureRun):
        return fingerprint(SCRIPTS / "simulate_feature.py", *_parts(FEATURE_MODELS[entry.model].build.__module__))
    script = "simulate_batch.py" if entry.conditions else "simulate_point.py"
    return fingerprint(SCRIPTS / script, *_parts(MODELS[entry.model].build.__module__))


def of_fit(cfg: Config, run: str) -> str:
    """Code that fits the feature model of a run."""
    return _of_fit(cfg.simulate.runs[run].model)  # type: ignore[union-attr]


def of_study_fit(cfg: Config, study: str) -> str:
    """Code that fits the feature model of a study."""
    return _of_fit(cfg.scale.studies[study].model)


def _of_fit(model: str) -> str:
    fitted = FEATURE_MODELS[model].fit if model in FEATURE_MODELS else None
    return fingerprint(SCRIPTS / "simulate_fit.py", *(_parts(fitted.__module__) if fitted else ()))


def of_study(cfg: Config, study: str, script: str) -> str:
    """Code of a job of a study: that of its script, of its model, and of the statistics of plugins that it takes."""
    entry = cfg.scale.studies[study]
    known: dict[str, Model | FeatureModel] = {**MODELS, **FEATURE_MODELS}
    model = {known[entry.model].build.__module__} if script != "scale_measure" else set()
    taken = (
        {STATISTICS.modules[name] for name in entry.statistics} if script in ("scale_measure", "scale_study") else set()
    )
    return fingerprint(SCRIPTS / f"{script}.py", *(part for module in sorted(model | taken) for part in _parts(module)))


def of_compute(cfg: Config, study: str, script: str) -> str:
    """Code of a job of a study of compute scaling: that of its script and of its model."""
    return fingerprint(SCRIPTS / f"{script}.py", *_parts(MODELS[cfg.scale.compute[study].model].build.__module__))


def of_comparison(cfg: Config, comparison: str) -> str:
    """Code of a comparison: that of its kind, and of no other."""
    return fingerprint(SCRIPTS / "compare_run.py", *_parts(module_of(cfg.compare.comparisons[comparison].kind)))


def of_figures(cfg: Config, stage: str) -> str:
    """Code that draws the figures of a stage: the report, and what plugins bring for the kinds of comparison there are."""
    kinds = {entry.kind for entry in cfg.compare.comparisons.values()} if stage == "comparisons" else set()
    drawings = sorted(plugins.DRAWINGS.modules[kind] for kind in kinds if kind in plugins.DRAWINGS)
    return fingerprint(
        SCRIPTS / "report_figures.py", "allometry.report", *(part for module in drawings for part in _parts(module))
    )


def _parts(module: str) -> Iterable[str | Path]:
    """A module of the package; of a plugin all its files, which may use one another."""
    plugin = plugins.of(module)
    return plugin.files() if plugin is not None else [module]
