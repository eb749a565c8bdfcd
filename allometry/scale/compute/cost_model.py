"""The cost model: seconds of a simulation on so many partitions and threads, from amounts of work and what each takes.

A run takes the time of its slowest worker:

    compute = updates + events + rows + spikes passed on + steps + meetings of the threads
    wall    = compute x crowding + rounds x exchange + recording

Updates and events are shared out among workers. Rows are not in proportion: the more workers, the shorter the rows. Every worker
looks at every spike, and does every step. An exchange takes a latency, time per further message, and bytes over bandwidth.
Where W workers share c < W cores, all computing takes W / c times as long, and each round takes further turns of the cores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls

from allometry.scale.compute.amounts import LINE_BYTES, SYNAPSE_BYTES, Amounts

FITTED = ("update", "event", "row", "step", "meeting")
EXCHANGED = ("latency", "message", "byte", "turn")
#: Two-sided 95 % of a normal distribution.
NORMAL_95 = 1.96


@dataclass(frozen=True)
class Exchange:
    """What a round of the exchange takes, s: an empty message, each further message, each byte received, each turn of a shared core."""

    latency: float
    message: float
    byte: float
    turn: float = 0.0

    def seconds(self, partitions: int, received: float, crowding: float = 1.0) -> float:
        """Seconds of a round of `partitions`, each of which receives so many bytes."""
        return sum(
            amount * getattr(self, name) for name, amount in zip(EXCHANGED, _parts(partitions, received, crowding))
        )


@dataclass(frozen=True)
class CostModel:
    """What each amount takes, s.

    Parameters
    ----------
    update, event, row, step, meeting : float
        A neuron's step; a spike at a synapse; a row of synapses; a step of a worker; a further thread that a step waits for.
    passed : float
        A spike that a worker looks at, without a synapse onto its neurons.
    recorded : float
        A spike that is handed to the process that writes it.
    exchange : Exchange
        Between partitions on the machine that was measured.
    cores : int
        Of that machine.
    """

    update: float
    event: float
    row: float
    step: float
    meeting: float
    passed: float
    recorded: float
    exchange: Exchange
    cores: int

    def parts(self, amounts: Amounts, partitions: int, threads: int) -> dict[str, float]:
        """Seconds of a simulation on the machine that was measured, by part; they add up."""
        crowding = max(1.0, partitions * threads / self.cores)
        return {
            **self._computing(amounts, partitions, threads, crowding),
            "exchange": _exchanged(self.exchange, amounts, partitions, crowding),
        }

    def seconds(self, amounts: Amounts, partitions: int, threads: int) -> float:
        """Seconds of a simulation on the machine that was measured."""
        return sum(self.parts(amounts, partitions, threads).values())

    def elsewhere(
        self, amounts: Amounts, nodes: int, threads: int, exchange: Exchange, memory_bytes_s: float, line_s: float
    ) -> dict[str, float]:
        """Seconds by part on nodes with so many cores of the measured kind each, a partition on each node.

        The first two threads of a node meet as they were measured; each further one is another cache line to read, in `line_s`.
        What all cores of a node read, rows of whole cache lines, takes at least as long as the node's memory needs for it.
        """
        found = self._computing(amounts, nodes, threads, 1.0)
        if threads > 2:
            found["meeting"] = amounts.steps * (self.meeting + line_s * (threads - 2))
        rows = amounts.rows(nodes * threads)
        read = SYNAPSE_BYTES * amounts.events / nodes + LINE_BYTES * rows * threads
        waiting = max(0.0, read / memory_bytes_s - found["event"] - found["row"])
        return {**found, "memory": waiting, "exchange": _exchanged(exchange, amounts, nodes, 1.0)}

    def _computing(self, amounts: Amounts, partitions: int, threads: int, crowding: float) -> dict[str, float]:
        does = features(amounts, partitions, threads, crowding)
        return {
            **{name: getattr(self, name) * does[name] for name in FITTED},
            "passed": self.passed * amounts.spikes * crowding,
            "recording": self.recorded * amounts.spikes / partitions * crowding,
        }

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def features(amounts: Amounts, partitions: int, threads: int, crowding: float) -> dict[str, float]:
    """What one worker does, of what is fitted; times the crowding."""
    workers = partitions * threads
    return {
        "update": amounts.neurons * amounts.steps / workers * crowding,
        "event": amounts.events / workers * crowding,
        "row": amounts.rows(workers) * crowding,
        "step": amounts.steps * crowding,
        "meeting": amounts.steps * (threads - 1) * crowding,
    }


def fit(
    points: Sequence[Mapping[str, Any]],
    exchanges: Sequence[Mapping[str, Any]],
    passed_s: float,
    cores: int,
) -> CostModel:
    """The model whose seconds come nearest to those measured, in relative terms, with no coefficient below 0.

    Parameters
    ----------
    points : sequence of mapping
        Runs of one partition: `amounts`, `threads`, `sim_s` and, in it, `recording_s`.
    exchanges : sequence of mapping
        Rounds alone: `partitions`, `message_bytes` and `round_s`.
    passed_s : float
        What a spike takes that has no synapse here.
    cores : int
        Of this machine.
    """
    spikes = sum(one["amounts"].spikes for one in points)
    recorded = sum(one["recording_s"] for one in points) / spikes if spikes else 0.0
    rows, found = [], []
    for one in points:
        crowding = max(1.0, one["threads"] / cores)
        does = features(one["amounts"], 1, one["threads"], crowding)
        rows.append([does[name] for name in FITTED])
        taken = one["sim_s"] - one["recording_s"] - passed_s * one["amounts"].spikes * crowding
        found.append(max(taken, 0.05 * one["sim_s"]))
    rounds = [
        _parts(
            one["partitions"],
            (one["partitions"] - 1) * one["message_bytes"],
            max(1.0, one["partitions"] / cores),
        )
        for one in exchanges
    ]
    return CostModel(
        **dict(zip(FITTED, relative_nnls(rows, found))),
        passed=passed_s,
        recorded=recorded,
        exchange=Exchange(**dict(zip(EXCHANGED, relative_nnls(rounds, [one["round_s"] for one in exchanges])))),
        cores=cores,
    )


def relative_nnls(rows: Sequence[Sequence[float]], found: Sequence[float]) -> list[float]:
    """Coefficients of at least 0 whose sums are nearest to what was found, each relative to it."""
    matrix = np.array(rows, float) / np.array(found, float)[:, None]
    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-300)
    return [float(x) for x in nnls(matrix / scale, np.ones(len(found)))[0] / scale]


def band(ratios: Sequence[float]) -> float:
    """Factor by which held-out runs may lie above or below the model: 95 % of a normal distribution of the logarithms about 0.

    Parameters
    ----------
    ratios : sequence of float
        Measured over predicted.
    """
    return float(np.exp(NORMAL_95 * np.sqrt(np.mean(np.square(np.log(ratios))))))


def _exchanged(exchange: Exchange, amounts: Amounts, partitions: int, crowding: float) -> float:
    if partitions == 1:
        return 0.0
    received = (partitions - 1) * amounts.message_bytes(partitions)
    return amounts.rounds * exchange.seconds(partitions, received, crowding)


def _parts(partitions: int, received: float, crowding: float) -> tuple[float, ...]:
    return (1.0, (partitions - 2) * crowding, received * crowding, crowding - 1.0)
