"""Identical leaky integrate-and-fire neurons on a connectome: weights are signed synapse counts times one constant.

Source: Shiu et al. 2024, Nature 634:210 (equations and constants). For neurons that do not spike, as most of the
worm's, this is a test of propagation through the graph, not physiology.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

from allometry.errors import SimulationError
from allometry.models.catalogue.records import model
from allometry.models.graph import Graph
from allometry.network import (
    ConnectomeLif,
    ExplicitEdges,
    GapJunctions,
    Network,
    PoissonInput,
    Population,
    Projection,
    SpikeListInput,
)
from allometry.network.scalars import plain_arguments

POPULATION = "neurons"
WEIGHT_MV = 0.275
#: A kick of the drive is 250 synapses strong.
KICK_MV = 250 * WEIGHT_MV
DELAY_MS = 1.8
T_REF_MS = 2.2
DT_MS = 0.1
#: The regular drive spreads the phases of the driven neurons by this many steps from one to the next.
PHASE_STEPS = 7


@plain_arguments
@model(
    description="Identical leaky integrate-and-fire neurons on a connectome, weights from signed synapse counts.",
    source="Shiu et al. 2024, Nature 634:210",
)
def connectome_lif(
    connectome: xr.Dataset | Graph,
    weight_mv: float = WEIGHT_MV,
    gap_junction: float = 0.0,
    neurons: str | Sequence[str] = "sources",
    driven: str | Sequence[str] = (),
    silenced: str | Sequence[str] = (),
    drive: Literal["poisson", "regular"] = "poisson",
    drive_hz: float = 150.0,
    kick_mv: float = KICK_MV,
    duration_ms: float = 1000.0,
    unknown_sign: int = 1,
    order: Literal["store", "reach"] = "store",
) -> Network:
    """Build the network of one connectome.

    Parameters
    ----------
    connectome : Dataset or Graph
        Connectome store, or a graph made from arrays.
    weight_mv : float
        Weight of one synapse, mV; 0.275 in the fly model.
    gap_junction : float
        Conductance of one gap junction over the leak conductance; 0 leaves gap junctions out.
    neurons : {"sources", "all"} or sequence of str
        Nodes of a store to keep: with outgoing chemical synapses, all, or the named ones; not used with a Graph.
    driven : str (names separated by commas) or sequence of str
        Neurons that receive kicks of the membrane potential and have no refractory time.
    silenced : str (names separated by commas) or sequence of str
        Neurons without output.
    drive : {"poisson", "regular"}
        Independent Poisson kicks, or one kick every round(1/(rate·dt)) steps, neuron q starting at step 7q modulo that.
    drive_hz : float
        Rate of the kicks of every driven neuron, Hz.
    kick_mv : float
        Size of a kick, mV.
    duration_ms : float
        Length of the regular drive, ms; the Poisson drive does not end.
    unknown_sign : {+1, 0, -1}
        Sign of the neurons of a store whose sign is not known (0 or NaN): excitatory as in the published worm and fly models,
        without output, or inhibitory; not used with a Graph.
    order : {"store", "reach"}
        Numbers of the neurons: as in the connectome, or with those beside each other that the driven neurons reach, for a
        neuron model that `rests`. Labels go along; random drive differs, regular drive does not.

    Returns
    -------
    Network
        One population of `ConnectomeLif` neurons, labelled as the nodes; weights in mV, steps of 0.1 ms.

    Raises
    ------
    SimulationError
        If a name is unknown, a neuron is driven twice, the weight is not positive or the drive or order is unknown.
    """
    where = "connectome_lif"
    if not weight_mv > 0 or gap_junction < 0:
        raise SimulationError(
            f"weight_mv {weight_mv}, gap_junction {gap_junction}", where=where, expected="weight > 0, gap_junction ≥ 0"
        )
    if drive not in ("poisson", "regular"):
        raise SimulationError(f"unknown drive {drive!r}", where=where, expected="poisson or regular")
    if not 0 < drive_hz <= 1000 / DT_MS:
        raise SimulationError(f"drive_hz is {drive_hz}", where=where, expected=f"above 0 and up to {1000 / DT_MS:g} Hz")
    if unknown_sign not in (-1, 0, 1):
        raise SimulationError(f"unknown_sign is {unknown_sign}", where=where, expected="+1, 0 or −1")
    graph = connectome if isinstance(connectome, Graph) else Graph.from_store(connectome, neurons, unknown_sign)
    if order not in ("store", "reach"):
        raise SimulationError(f"unknown order {order!r}", where=where, expected="store or reach")
    driven_index = graph.index(_names(driven))
    if order == "reach":
        cell = ConnectomeLif()
        mean_mv = weight_mv * cell.tau_syn * 1e-3 * drive_hz
        graph = graph.reached_first(driven_index, mean_mv / (cell.V_th - cell.E_L))
        driven_index = graph.index(_names(driven))
    silenced_index = graph.index(_names(silenced))
    if len(np.unique(driven_index)) < len(driven_index):
        raise SimulationError("a neuron is listed twice", where=f"{where}, driven", expected="every neuron once")
    graph = graph.without_output(silenced_index)
    t_ref = np.full(len(graph.labels), T_REF_MS)
    t_ref[driven_index] = 0.0
    fast = graph.sign[graph.source] != 0
    source, target = graph.source[fast], graph.target[fast]
    edges = ExplicitEdges(source, target, graph.sign[source] * graph.count[fast] * weight_mv, np.array(DELAY_MS))
    gaps: tuple[GapJunctions, ...] = ()
    if gap_junction and len(graph.gap_source):
        gaps = (GapJunctions(POPULATION, graph.gap_source, graph.gap_target, gap_junction * graph.gap_count),)
    inputs: tuple[PoissonInput | SpikeListInput, ...] = ()
    if len(driven_index):
        if drive == "poisson":
            inputs = (PoissonInput(POPULATION, drive_hz, kick_mv, driven_index),)
        else:
            inputs = (_regular_drive(driven_index, drive_hz, kick_mv, duration_ms),)
    return Network(
        populations=(Population(POPULATION, len(graph.labels), ConnectomeLif(t_ref=t_ref), labels=graph.labels),),
        projections=(Projection(POPULATION, POPULATION, edges),),
        inputs=inputs,
        gap_junctions=gaps,
        dt_ms=DT_MS,
        title="Leaky integrate-and-fire neurons on a connectome (Shiu et al. 2024)",
        parameters={
            "model": "connectome_lif",
            "weight_mv": weight_mv,
            "gap_junction": gap_junction,
            "driven": [graph.labels[i] for i in driven_index],
            "silenced": [graph.labels[i] for i in silenced_index],
            "drive": drive,
            "drive_hz": drive_hz,
            "kick_mv": kick_mv,
            "signs": graph.signs_from,
            "unknown_sign": unknown_sign,
            **({"duration_ms": duration_ms} if drive == "regular" else {}),
            **({"order": order} if order != "store" else {}),
        },
    )


def _names(value: str | Sequence[str]) -> list[str]:
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return [str(name) for name in value]


def _regular_drive(driven: np.ndarray, drive_hz: float, kick_mv: float, duration_ms: float) -> SpikeListInput:
    """Kicks every `round(1 / (rate dt))` steps, with phases that spread the driven neurons over the period."""
    period = round(1000 / (drive_hz * DT_MS))
    steps = round(duration_ms / DT_MS)
    phase = (PHASE_STEPS * np.arange(len(driven))) % period
    neuron, step = [], []
    for i, first in zip(driven, phase):
        kicks = np.arange(first, steps, period)
        neuron.append(np.full(len(kicks), i))
        step.append(kicks)
    when = np.concatenate(step)
    order = np.argsort(when, kind="stable")
    return SpikeListInput(POPULATION, np.concatenate(neuron)[order], np.round(when[order] * DT_MS, 6), kick_mv)
