"""What the cost model says of machines that were not measured: labelled as extrapolation, with its band."""

from collections.abc import Mapping
from typing import Any

from allometry.scale.compute.amounts import Amounts
from allometry.scale.compute.cost_model import CostModel, Exchange

LABEL = "extrapolation"


def extrapolated(
    model: CostModel, networks: Mapping[str, Amounts], machine: Mapping[str, Any], factor: float, process_bytes: float
) -> list[dict[str, Any]]:
    """Wall seconds per biological second of networks on numbers of nodes, a row for each.

    Parameters
    ----------
    model : CostModel
        Fitted on one machine: its cores are taken for those of a node.
    networks : mapping of str to Amounts
        In one biological second.
    machine : mapping
        As configured, see `config.compute.Machine`.
    factor : float
        The model's band, `cost_model.band`.
    process_bytes : float
        Memory of a process before it builds anything.

    Returns
    -------
    list of dict
        `label`, `network`, `nodes`, `rtf`, `low` and `high` (what is computed by the band, the exchange with the lowest and
        highest latency: it rests on what is given of the network, not on the model), `floor` (rounds
        of empty messages at the expected latency, with nothing computed), `parts`, `memory_gib` of a node, and `fits`.
    """
    rows = []
    for name, amounts in networks.items():
        for nodes in machine["nodes"]:
            parts = [_at(model, amounts, nodes, machine, latency) for latency in machine["latency_us"]]
            memory = amounts.memory_bytes(nodes, machine["cores"], process_bytes) / 2**30
            empty = _exchange(machine, machine["latency_us"][1]).seconds(nodes, 0.0)
            rows.append(
                {
                    "label": LABEL,
                    "network": name,
                    "nodes": nodes,
                    "rtf": sum(parts[1].values()),
                    "low": _times(parts[0], 1 / factor),
                    "high": _times(parts[2], factor),
                    "floor": amounts.rounds * empty if nodes > 1 else 0.0,
                    "parts": parts[1],
                    "memory_gib": memory,
                    "fits": memory <= machine["memory_gib"],
                }
            )
    return rows


def _times(parts: Mapping[str, float], factor: float) -> float:
    return factor * sum(value for name, value in parts.items() if name != "exchange") + parts["exchange"]


def _at(
    model: CostModel, amounts: Amounts, nodes: int, machine: Mapping[str, Any], latency_us: float
) -> dict[str, float]:
    return model.elsewhere(
        amounts,
        nodes,
        machine["cores"],
        _exchange(machine, latency_us),
        1e9 * machine["memory_gb_s"],
        1e-6 * machine["line_us"],
    )


def _exchange(machine: Mapping[str, Any], latency_us: float) -> Exchange:
    return Exchange(1e-6 * latency_us, 1e-6 * machine["message_us"], 1e-9 / machine["bandwidth_gb_s"])
