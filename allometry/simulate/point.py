"""One point of a configured run: a network simulation into a Spikes store, or signal propagation into a Connectome."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import models, stores
from allometry.errors import SimulationError
from allometry.network import Network
from allometry.network.recording import Probe, Record
from allometry.simulate.conditions import Asked, require_conditions, run_conditions
from allometry.simulate.distribute.execution import Execution
from allometry.simulate.runner import run
from allometry.simulate.signal_propagation import propagation, rewired
from allometry.simulate.stimuli import model_condition, with_own_seed

_LOG = logging.getLogger("allometry")


def run_point(
    parameters: Mapping[str, Any],
    store: str | Path,
    connectome: str | Path | None = None,
    execution: Execution | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Compute one point and write its store.

    Parameters
    ----------
    parameters : mapping
        Everything that determines the result (`kind` network or propagation, model, parameters, seed, ...).
    store : path
        Store to write.
    connectome : path, optional
        Connectome store of a model that needs one.
    overwrite : bool
        Whether a store that is there may be replaced.

    Raises
    ------
    SimulationError
        See `simulate.run`.
    """
    execution = execution or Execution()
    stores.require_free(store, overwrite=overwrite)
    graph = _open(connectome) if connectome else None
    if parameters["kind"] == "propagation":
        if graph is None:
            raise SimulationError("a propagation run needs a connectome", where="connectome")
        _propagation(parameters, Path(store), graph, execution, provenance, overwrite)
        return
    net = models.build(parameters["model"], parameters["parameters"], graph, seed=parameters["seed"])
    run(
        net,
        parameters["duration_ms"],
        parameters["seed"],
        store,
        precision=parameters["precision"],
        record=record_of(net, parameters["record"]),
        execution=execution,
        attrs=_origin(parameters, graph),
        provenance=provenance,
        overwrite=overwrite,
    )


def run_batch_of(
    parameters: Mapping[str, Any],
    places: Sequence[str | Path],
    connectome: str | Path | None = None,
    execution: Execution | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Compute one job that has conditions and write their stores.

    Parameters
    ----------
    parameters : mapping
        Everything that determines the results; `conditions` is a list of mappings, each with a `name`.
    places : sequence of path
        A store for each condition, in their order.
    connectome : path, optional
        Connectome store of a model that needs one.
    overwrite : bool
        Whether stores that are there may be replaced.

    Raises
    ------
    SimulationError
        See `simulate.run_batch`.
    """
    graph = _open(connectome) if connectome else None
    name, seed = parameters["model"], parameters["seed"]
    fitted = models.fit(name, parameters["parameters"], seed) if models.MODELS[name].fit else None
    net = models.build(name, parameters["parameters"], graph, seed=seed, fitted=fitted)
    settings = [with_own_seed(entry, parameters["seed"]) for entry in parameters["conditions"]]
    made = [
        model_condition(name, parameters["parameters"], entry["name"], entry, graph, seed=seed, fitted=fitted)
        for entry in settings
    ]
    conditions = require_conditions(made, "conditions")
    asked = Asked(
        net,
        parameters["duration_ms"],
        parameters["seed"],
        parameters["precision"],
        record_of(net, parameters["record"]),
        attrs=_origin(parameters, graph),
        provenance=provenance,
        overwrite=overwrite,
    )
    run_conditions(asked, list(zip(conditions, map(Path, places), strict=True)), execution or Execution())


def _open(path: str | Path) -> xr.Dataset:
    graph = stores.open(path)
    stores.require_kind(graph, "Connectome")
    return graph  # type: ignore[return-value]


def configured(
    simulate: Mapping[str, Any], cluster: Mapping[str, Any], cores: int, checkpoint: str | Path
) -> Execution:
    """Return the execution that a configuration asks for: its `simulate` and `cluster` parts, on the cores of a job.

    How a job is executed does not determine its spikes: it is no parameter of the rule, so that another cluster or another
    number of threads does not rerun what is done.
    """
    return Execution(
        partitions=simulate["partitions"],
        threads=simulate["threads"],
        cores=cores,
        checkpoint=simulate["checkpoint"],
        checkpoint_folder=checkpoint,
        memory_gib=simulate["memory_gib"],
        wall_time_s=simulate["wall_time_s"],
        cluster=cluster_options(cluster),
    )


def cluster_options(configured: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configured cluster as `clusters.kinds.connect` takes it: only what its kind uses."""
    used = {
        "local": ("interface", "dashboard"),
        "slurm": ("queue", "account", "qos", "memory", "walltime", "interface", "dashboard"),
        "address": ("address", "tls_ca_file", "tls_client_cert", "tls_client_key"),
        "allocation": ("interface", "dashboard"),
    }[configured["kind"]]
    exchange = {"exchange": configured["exchange"]} if configured.get("exchange", "auto") != "auto" else {}
    return {"kind": configured["kind"], **exchange, **{key: configured[key] for key in used if configured.get(key)}}


def record_of(net: Network, wanted: Mapping[str, Any]) -> Record:
    """Build the `Record` of a configuration: probes are the first neurons of each named population, or evenly `spread` ones.

    `states` are variables that are recorded of them beside the voltage; `populations` those whose spikes are, default all.
    """
    probes = tuple(
        Probe(name, _probed(net.population(name).size, count, bool(wanted.get("spread"))), variable=variable)
        for variable in ("V_m", *(wanted.get("states") or ()))
        for name, count in (wanted.get("voltage") or {}).items()
    )
    kept = wanted.get("populations") or [p.name for p in net.populations]
    silent = {p.name: 0.0 for p in net.populations if p.name not in kept}
    return Record(bool(wanted.get("spikes", True)), wanted.get("counts_bin_ms"), probes, silent)


def _probed(size: int, count: int, spread: bool) -> np.ndarray:
    """The first neurons of a population, or as many evenly over all of it."""
    count = min(count, size)
    return ((np.arange(count) + 0.5) * size / count).astype(np.int64) if spread else np.arange(count)


def _origin(parameters: Mapping[str, Any], graph: xr.Dataset | None) -> dict[str, Any]:
    """Attributes that say where the model and its connectome come from."""
    model = models.MODELS[parameters["model"]]
    out: dict[str, Any] = {"citation": model.source}
    if graph is not None:
        out |= {
            "species": graph.attrs["species"],
            "citation": f"{model.source}; connectome: {graph.attrs['citation']}",
            "licence": graph.attrs["licence"],
            "source": graph.attrs["source"],
        }
    return out


def _driven(net: Network, parameters: Mapping[str, Any]) -> np.ndarray:
    """Neurons that are driven, in order: all, or as many as are asked for, drawn at random."""
    wanted = parameters.get("driven")
    if wanted is None:
        return np.arange(net.size)
    if wanted > net.size:
        raise SimulationError(
            f"{wanted} neurons are to be driven, of {net.size}", where="driven", expected=f"at most {net.size}"
        )
    rng = np.random.default_rng(parameters["rewiring_seed"])
    return np.sort(rng.choice(net.size, wanted, replace=False))


def _propagation(
    parameters: Mapping[str, Any],
    store: Path,
    graph: xr.Dataset,
    execution: Execution,
    provenance: Mapping[str, Any] | None,
    overwrite: bool,
) -> None:
    net = models.connectome_lif(graph, parameters["weight_mv"], gap_junction=parameters["gap_junction"])
    duration, rate, rewirings = parameters["duration_ms"], parameters["rate_hz"], parameters["rewirings"]
    _LOG.info("%s: %d neurons, each driven for %g ms, %d rewirings", net.title, net.size, duration, rewirings)
    driven = _driven(net, parameters)
    row, target = np.nonzero(driven[:, None] != np.arange(net.size))
    source = driven[row]

    def response(network: Network) -> np.ndarray:
        peak = propagation(network, duration, rate, driven=driven, threads=execution.threads_here)
        return peak[row, target].astype(np.float32)

    labels = np.array(net.populations[0].labels)
    edges = pd.DataFrame(
        {"source": labels[source], "target": labels[target], "weight": response(net), "synapse": "functional"}
    )
    about = _origin({"model": "connectome_lif"}, graph)
    derived = {
        "weight": "largest V - E_L of the target in one trial, mV; the source is the driven neuron",
        "neurons": "those with an outgoing chemical synapse",
    }
    if driven.size < net.size:
        derived["driven"] = f"{driven.size} neurons, drawn at random; pairs of the other sources were not simulated"
    if rewirings:
        derived["null"] = (
            "the same in rewired connectomes: chemical edges keep the in- and out-degree of every neuron, sign and weight "
            "go with the source; gap junctions keep the degree of every neuron and their weights"
        )
    dataset = stores.connectome(
        pd.DataFrame(index=pd.Index(labels, name="node")),
        edges,
        attrs={
            "title": "Simulated signal propagation: peak depolarisation of every neuron when one is driven, mV",
            **about,
            "parameters": dict(parameters),
            "derived": derived,
            "absent_means": {"functional": "unmeasured"},
            **({"seed": parameters["rewiring_seed"]} if rewirings or driven.size < net.size else {}),
        },
        weight_units="mV",
    )
    if rewirings:
        # The store keeps the order of the edges: both are sorted by source and target.
        null = np.stack([response(network) for network in rewired(net, rewirings, parameters["rewiring_seed"])], axis=1)
        dataset["null"] = (("edge", "rewiring"), null, {"units": "mV"})
    stores.write(dataset, store, overwrite=overwrite, provenance=dict(provenance or {}))
