"""What a configured study may ask for: checked by describing the network of each size, before anything runs."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from allometry.config import Config, StudyConfig
from allometry.errors import AllometryError, ConfigError, SimulationError
from allometry.hints import hint
from allometry.models.features import FEATURE_MODELS, resolved
from allometry.models.registry import expected
from allometry.network import Network
from allometry.network.recording import Probe, Record
from allometry.scale.features import statistics as feature_statistics  # noqa: F401 - the same
from allometry.scale.features import trials as trial_statistics  # noqa: F401 - the same
from allometry.scale.jobs import arguments, is_feature, network, reducible
from allometry.scale.statistics import activity, distance, selectivity  # noqa: F401 - register those of the package
from allometry.scale.statistics.records import STATISTICS
from allometry.simulate.check.validate import check_condition, check_network, check_run
from allometry.simulate.stimuli import model_condition
from allometry.workflow.places.studies import Study, studies


def check_studies(cfg: Config) -> None:
    """Refuse studies of what does not exist, or cannot be.

    Raises
    ------
    ConfigError
        The key, what is valid there, and the nearest valid name.
    """
    for name, study in cfg.scale.studies.items():
        where = f"scale.studies.{name}"
        try:
            _check_study(where, study, cfg)
        except SimulationError as error:
            at = f"{where}.{error.where}" if error.where in study.model_dump() or "." in error.where else where
            raise ConfigError(error.what, where=at, expected=error.expected, do=error.do) from None
    for made in studies(cfg):
        _check_runs(made, cfg)


def _check_study(where: str, study: StudyConfig, cfg: Config) -> None:
    model, values = reducible(study.model), study.model_dump(mode="json")
    for parameter, value in study.parameters.items():
        at = f"{where}.parameters.{parameter}"
        if parameter not in model.parameters:
            raise _unknown(parameter, list(model.parameters), at, f"parameter of the model {study.model}")
        if wanted := expected(model, parameter, value):
            raise ConfigError(f"{value!r} is no value of {parameter}", where=at, expected=wanted)
    kind, of = ("feature", "responses") if is_feature(study.model) else ("network", "spikes")
    able = [name for name, entry in STATISTICS.items() if entry.of == of]
    for statistic in study.statistics:
        if statistic not in able:
            raise _unknown(statistic, able, f"{where}.statistics", f"statistic of {of}")
    for run in study.runs:
        others = [name for name, entry in cfg.simulate.runs.items() if entry.kind == kind]
        if run not in others:
            raise _unknown(run, others, f"{where}.runs", f"simulation run of kind {kind}")
    if kind == "feature":
        _check_features(where, study, values)
        return
    if study.duration_ms is None:
        raise ConfigError("no simulated time is given", where=f"{where}.duration_ms", expected="a number of ms")
    for name, settings in study.conditions.items():
        if settings.parameters:
            raise ConfigError(
                f"the condition changes parameters of the network {study.model}",
                where=f"{where}.conditions.{name}.parameters",
                expected="none: conditions of a network share its connectivity",
                do="make a study of each value",
            )
    first = True
    for size in study.sizes:
        for scheme in study.schemes:
            given = arguments(values, size, scheme)
            try:
                net = network(values, size, scheme)
                # a stimulus is that of every size
                _check_network(net, study, given, stimuli=first)
                first = False
            except SimulationError as error:
                raise ConfigError(
                    f"size {size:g} in the scheme {scheme} cannot be simulated: {error.what}",
                    where=where,
                    expected=error.expected,
                    do=error.do,
                ) from None
    _check_targets(where, study, net)


def _check_features(where: str, study: StudyConfig, values: Mapping[str, Any]) -> None:
    """Refuse what a study of a feature model cannot have, and values that the model refuses."""
    if given := [key for key in ("duration_ms", "voltage", "states") if getattr(study, key)]:
        raise ConfigError(
            f"{given[0]} is of networks, and {study.model} is a feature model",
            where=f"{where}.{given[0]}",
            do="remove it",
        )
    model = FEATURE_MODELS[study.model]
    for name, settings in study.conditions.items():
        at = f"{where}.conditions.{name}"
        if other := [key for key, value in settings.model_dump().items() if value and key != "parameters"]:
            raise ConfigError(
                f"{other[0]} is of networks",
                where=f"{at}.{other[0]}",
                expected="`parameters` of the feature model alone",
            )
        for parameter in settings.parameters:
            if parameter not in model.parameters:
                raise _unknown(
                    parameter, list(model.parameters), f"{at}.parameters.{parameter}", f"parameter of {study.model}"
                )
    for size in study.sizes:
        for scheme in study.schemes:
            given_ = arguments(values, size, scheme)
            for changed in [one.parameters for one in study.conditions.values()] or [{}]:
                if both := sorted(set(changed) & set(dict(model.reduce(size, scheme)) if model.reduce else {})):
                    raise ConfigError(
                        f"{both[0]} is what the size decides", where=f"{where}.conditions", expected="other parameters"
                    )
                try:
                    resolved(study.model, {**given_, **changed})
                except SimulationError as error:
                    raise ConfigError(
                        f"size {size:g} in the scheme {scheme} cannot be: {error.what}",
                        where=where,
                        expected=error.expected,
                        do=error.do,
                    ) from None


def _check_network(net: Network, study: StudyConfig, given: Mapping[str, Any], *, stimuli: bool) -> None:
    known = [population.name for population in net.populations]
    for name in (*study.voltage, *study.populations):
        if name not in known:
            raise SimulationError(
                f"no population is called {name!r}", expected="one of " + ", ".join(known), do=hint(name, known)
            )
    check_network(net)
    probes = tuple(
        Probe(name, np.zeros(1, np.int64), variable=variable)
        for variable in ("V_m", *study.states)
        for name in study.voltage
    )
    assert study.duration_ms is not None
    check_run(net, study.duration_ms, 1, study.precision, Record(True, None, probes))
    for name, settings in study.conditions.items():
        values = settings.model_dump() | ({} if stimuli else {"stimulus": {}})
        check_condition(net, model_condition(study.model, given, name, values))


def _check_targets(where: str, study: StudyConfig, net: Network) -> None:
    conditions = list(study.conditions) or ["unchanged"]
    known = [population.name for population in net.populations]
    targets = study.calibration.targets if study.calibration else {}
    for condition, by_population in targets.items():
        at = f"{where}.calibration.targets.{condition}"
        if condition not in conditions:
            raise _unknown(condition, conditions, at, "condition")
        for population in by_population:
            if population not in known:
                raise _unknown(population, known, at, "population")


def _check_runs(made: Study, cfg: Config) -> None:
    """Refuse a run that no job of the study is a point of."""
    for run in made.values["runs"]:
        used = any(f"results/simulated/{run}/" in path for places in made.spikes.values() for path in places.values())
        if not used:
            entry: Any = cfg.simulate.runs[run]
            raise ConfigError(
                f"no point of the run {run!r} is a simulation of this study",
                where=f"scale.studies.{made.name}.runs",
                expected="the same model, parameters, seeds and conditions, of networks also duration and precision; the run is of "
                + (f"{entry.duration_ms:g} ms of {entry.model}" if hasattr(entry, "duration_ms") else entry.model),
                do="give both the same values, or remove the run from the list",
            )


def _unknown(name: str, valid: list[str], where: str, what: str) -> AllometryError:
    return ConfigError(
        f"unknown {what} {name!r}",
        where=where,
        expected="one of " + (", ".join(sorted(valid)) or "(none is configured)"),
        do=hint(name, valid),
    )
