"""What a configured simulation run may ask for: checked by describing the network of each of its points, without building it."""

from typing import Any

import numpy as np

from allometry.config.simulate import NetworkRun, Point, PropagationRun, SimulateConfig, points
from allometry.config.text import as_yaml_number
from allometry.errors import ConfigError, SimulationError
from allometry.models.catalogue.records import MODELS
from allometry.models.connectome_lif import connectome_lif
from allometry.models.graph import Graph
from allometry.models.registry import build, expected
from allometry.network import Condition, Network
from allometry.network.conditions import condition_of
from allometry.network.recording import Probe, Record
from allometry.simulate.check.validate import check_condition, check_network, check_run
from allometry.simulate.stimuli import model_condition


def check_types(where: str, run: NetworkRun) -> None:
    """Check that every value is of the type that its parameter has; the names are known."""
    model = MODELS[run.model]
    for parameter, values in run.parameters.items():
        for value in values if isinstance(values, list) else [values]:
            if wanted := expected(model, parameter, value):
                number = as_yaml_number(value) if isinstance(value, str) and "number" in wanted else None
                raise ConfigError(
                    f"{value!r} is no value of {parameter}",
                    where=f"{where}.parameters.{parameter}",
                    expected=wanted,
                    do=f"write {number} without quotes: YAML takes {value} for text" if number else "",
                )


def check_points(where: str, run: NetworkRun | PropagationRun, simulate: SimulateConfig) -> None:
    """Check values against the ranges of the model, times against its steps, and probes against its populations.

    Parameters
    ----------
    where : str
        Key of the run.
    run : NetworkRun or PropagationRun
        Its parameters have the right names and types.
    simulate : SimulateConfig
        Says how the runs are cut.

    Raises
    ------
    ConfigError
        The first value that the simulation would refuse.
    """
    seen: list[dict[str, Any]] = []
    for point in points(run):
        # a network does not depend on the seed
        settings = {key: value for key, value in point.parameters.items() if key not in ("seed", "connectome")}
        if settings in seen:
            continue
        seen.append(settings)
        _check_point(where, run, point, simulate)


def _check_point(where: str, run: NetworkRun | PropagationRun, point: Point, simulate: SimulateConfig) -> None:
    at = f"{where}.parameters" if isinstance(run, NetworkRun) else where
    try:
        net = _network(run, point)
        check_network(net)
        at = where
        record = _record(net, run) if isinstance(run, NetworkRun) else Record()
        check_run(
            net,
            run.duration_ms,
            _partitions(net, run, point, simulate),
            run.precision if isinstance(run, NetworkRun) else "fast",
            record,
        )
        if "condition" in point.parameters:
            settings = dict(point.parameters["condition"])
            at = f"{where}.conditions.{settings['name']}"
            if point.connectome:
                # how many neurons a connectome has remains to be seen
                settings["silenced"] = {name: [] for name in settings["silenced"]}
            check_condition(net, _condition(run, point, settings))
    except SimulationError as error:
        raise ConfigError(error.what, where=at, expected=error.expected, do=error.do) from None


def _condition(run: NetworkRun | PropagationRun, point: Point, settings: dict[str, Any]) -> Condition:
    assert isinstance(run, NetworkRun)
    name = settings.pop("name")
    given = point.parameters["parameters"]
    if MODELS[run.model].needs_connectome:
        return condition_of(name, settings)
    return model_condition(run.model, given, name, settings)


def _partitions(net: Network, run: NetworkRun | PropagationRun, point: Point, simulate: SimulateConfig) -> int:
    """Partitions of the run: a propagation is not cut, and how large a connectome is remains to be seen."""
    if isinstance(run, PropagationRun):
        return 1
    return min(simulate.partitions, net.size) if point.connectome else simulate.partitions


def _network(run: NetworkRun | PropagationRun, point: Point) -> Network:
    """The network of a point; where it is built on a connectome, on what stands for it: two neurons, or what the model says."""
    if isinstance(run, PropagationRun):
        return connectome_lif(
            _stand_in([]),
            point.parameters["weight_mv"],
            gap_junction=point.parameters["gap_junction"],
            drive="regular",
            drive_hz=run.rate_hz,
        )
    given = point.parameters["parameters"]
    if not MODELS[run.model].needs_connectome:
        return build(run.model, given, fit_first=False)
    if (stand_in := MODELS[run.model].stand_in) is not None:
        return build(run.model, given, stand_in(given))
    named = [name.strip() for key in ("driven", "silenced") for name in str(given.get(key) or "").split(",")]
    return build(run.model, given, _stand_in([name for name in dict.fromkeys(named) if name]))


def _stand_in(labels: list[str]) -> Graph:
    """A connectome whose neurons have every name that is asked for, with one synapse and one gap junction."""
    names = (*labels, "(one)", "(other)")
    edge = np.array([len(names) - 2]), np.array([len(names) - 1]), np.ones(1)
    return Graph(names, *edge, np.ones(len(names)), *edge)


def _record(net: Network, run: NetworkRun) -> Record:
    for name, count in run.record.voltage.items():
        known = [population.name for population in net.populations]
        if name not in known:
            raise SimulationError(
                f"no population is called {name!r}", expected="one of " + ", ".join(known), do="correct record.voltage"
            )
        if count < 1:
            raise SimulationError(f"record.voltage asks for {count} neurons of {name}", expected="at least one")
    for name in run.record.populations:
        net.population(name)
    probes = tuple(Probe(name, np.zeros(1, np.int64)) for name in run.record.voltage)
    return Record(run.record.spikes, run.record.counts_bin_ms, probes)
