"""Amounts of work of a simulation, whoever does it, and how they are cut among workers."""

import math
from dataclasses import dataclass

#: Bytes of a synapse, of the limit of a row, and of what a thread keeps of every neuron of the network (`build.estimate`).
SYNAPSE_BYTES, LIMIT_BYTES, SOURCE_BYTES, STATE_BYTES = 4, 4, 18, 64
#: A row begins in a cache line of its own.
LINE_BYTES = 64
SPIKE_BYTES = 8


@dataclass(frozen=True)
class Amounts:
    """What a simulation does in all.

    Parameters
    ----------
    neurons : int
        Number of neurons.
    synapses : float
        Number of synapses.
    steps : float
        Time steps.
    rounds : float
        Exchanges of spikes: steps over those of the shortest delay.
    spikes, events : float
        Spikes of all neurons, and their arrivals at synapses.
    delays : float
        Different delays of a neuron's synapses, the mean over spikes.
    """

    neurons: int
    synapses: float
    steps: float
    rounds: float
    spikes: float
    events: float
    delays: float

    def rows(self, workers: int) -> float:
        """Rows of synapses that one of `workers` reads: those of a spike and a delay that have a synapse onto its neurons.

        Synapses lie on delays and workers at random, so that a row is empty with probability exp(-mean).
        """
        if self.spikes == 0:
            return 0.0
        return self.spikes * self.delays * -math.expm1(-self.events / (self.spikes * self.delays * workers))

    def message_bytes(self, partitions: int) -> float:
        """Mean bytes of spikes in the message of one of `partitions`."""
        return SPIKE_BYTES * self.spikes / self.rounds / partitions

    def memory_bytes(self, nodes: int, threads: int, process_bytes: float) -> float:
        """Memory of one of `nodes` partitions of so many threads.

        Synapses and states are shared out; of every neuron of the network each thread keeps where its rows are, and their
        limits where it has some.
        """
        workers = nodes * threads
        reached = -math.expm1(-self.synapses / self.neurons / workers) * self.neurons
        table = threads * (SOURCE_BYTES * self.neurons + LIMIT_BYTES * (self.delays + 1) * reached)
        return process_bytes + table + (SYNAPSE_BYTES * self.synapses + STATE_BYTES * self.neurons) / nodes


def described(
    neurons: int,
    synapses: float,
    rate_hz: float,
    delays: float,
    dt_ms: float,
    min_delay_ms: float,
    seconds: float = 1.0,
) -> Amounts:
    """Amounts of a network that is known by its numbers alone, in so many biological seconds."""
    spikes = neurons * rate_hz * seconds
    steps = 1e3 * seconds / dt_ms
    return Amounts(
        neurons, synapses, steps, 1e3 * seconds / min_delay_ms, spikes, spikes * synapses / neurons, float(delays)
    )
