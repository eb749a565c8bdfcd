"""How a network is cut: every thread of every partition gets its share of each population."""

from dataclasses import dataclass

import numpy as np

from allometry.simulate.build.plan.network import Plan


@dataclass(frozen=True)
class Segment:
    """Neurons [low, high) of population number `population`, `start` being the local index of the first."""

    population: int
    low: int
    high: int
    start: int

    @property
    def count(self) -> int:
        """Number of neurons."""
        return self.high - self.low


def segments(plan: Plan, part: int, parts: int) -> list[Segment]:
    """Return the share of part `part` of `parts`: an equal slice of every population.

    Slices start at even indices, because two neurons share one hash of their Poisson input. Taking a slice of each
    population rather than whole ones balances updates and synaptic events, whatever the rates.
    """
    out = []
    start = 0
    for number, neurons in enumerate(plan.neurons):
        low, high = bounds(neurons.size, part, parts)
        if high > low:
            out.append(Segment(number, low, high, start))
            start += high - low
    return out


def bounds(size: int, part: int, parts: int) -> tuple[int, int]:
    """Return the slice [low, high) of `size` neurons that part `part` of `parts` owns."""
    low = (size * part // parts) & ~1
    high = size if part == parts - 1 else (size * (part + 1) // parts) & ~1
    return low, high


def numbers(plan: Plan, part: int, parts: int) -> np.ndarray:
    """Return the network-wide numbers of the neurons of a part, in local order, int64 [neuron]."""
    pieces = [np.arange(s.low, s.high) + plan.neurons[s.population].first for s in segments(plan, part, parts)]
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)
