"""Projections with draws for every spike in arrays: drawn as all others are, source by source; and what is drawn."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from allometry.errors import SimulationError
from allometry.simulate.build.plan.network import Plan
from allometry.simulate.build.plan.projections import Synapses, delay_ranges
from allometry.simulate.build.shards.state import Layout, synapse_slots
from allometry.simulate.build.synapses.wiring import draw_synapses
from allometry.simulate.kernels.synapses.release import R_MEAN, Release

_ONE = np.ones(1, np.uint16)


@dataclass(frozen=True, eq=False)
class Drawn:
    """The synapses of one projection onto a part.

    begins, ends : uint32 [source], words of each source in those of all projections; bits : int, of a target in a word; wide :
    whether these have 64 bits; extent : int64 [2, slot], sums of |weight| per sign; slot : of the part's first target.
    """

    begins: np.ndarray
    ends: np.ndarray
    bits: int
    wide: bool
    extent: np.ndarray
    slot: int


@dataclass(frozen=True, eq=False)
class Once:
    """All synapses of a part with draws for every spike; narrow : uint32, wide : uint64, weight above the target."""

    parts: tuple[Drawn, ...]
    narrow: np.ndarray
    wide: np.ndarray

    @property
    def synapses(self) -> int:
        """How many there are."""
        return len(self.narrow) + len(self.wide)


def drawn_once(plan: Plan, where: Layout) -> Once:
    """Draw the synapses of all projections with draws for every spike."""
    parts: list[Drawn] = []
    words: dict[bool, list[np.ndarray]] = {False: [np.empty(0, np.uint32)], True: [np.empty(0, np.uint64)]}
    for s in plan.released:
        part, found = _draw(plan, where, s)
        base = np.uint32(sum(map(len, words[part.wide])))
        words[part.wide].append(found)
        parts.append(dataclasses.replace(part, begins=part.begins + base, ends=part.ends + base))
    return Once(tuple(parts), np.concatenate(words[False]), np.concatenate(words[True]))


def _draw(plan: Plan, where: Layout, s: Synapses) -> tuple[Drawn, np.ndarray]:
    assert s.release is not None
    slot = 0
    for row, piece in enumerate(where.segments):
        if piece.population == s.target:
            slot = _slot(plan, where, row, s)
            # Words count targets from the first one, which takes fewer bits than their slots.
            where = dataclasses.replace(where, zero=slot, addressed=piece.count)
    weights = s.weights
    if len(s.release.weights):
        # Where in-degrees decide, what is drawn is relative to the mean; else the largest is what sums are checked with.
        largest = s.weights[[int(np.abs(s.weights).argmax())]]
        weights = largest if s.norm is None else _mean(s.weights)
    delays = np.ones_like(s.delays) if s.listed else _ONE
    alike = dataclasses.replace(s, delays=delays, weights=weights, release=None)
    shortest, spans = delay_ranges(len(plan.neurons), [alike])
    alone = dataclasses.replace(plan, synapses=(alike,), plastic=(), released=(), shortest=shortest, spans=spans)
    wiring, extent = draw_synapses(alone, where)
    source = plan.neurons[s.source]
    narrow = len(wiring.narrow_limits) > 1
    limits, words = (wiring.narrow_limits, wiring.narrow) if narrow else (wiring.wide_limits, wiring.wide)
    if len(limits) <= 1:
        limits = np.zeros(source.size + 1, np.uint32)
    most = math.ceil(s.release.most * (1 + (int(s.release.span)) // (source.dead_steps + 1)))
    if s.norm is not None and len(s.release.weights):
        most *= math.ceil(float(np.abs(s.weights).max()) / abs(int(weights[0])))
    bits = where.slot_bits if narrow else 32
    return Drawn(limits[:-1], limits[1:], bits, words.dtype == np.uint64, extent * most, slot), words


def _slot(plan: Plan, where: Layout, row: int, s: Synapses) -> int:
    """Return the slot of the first target of a segment."""
    positive, negative = synapse_slots(plan, where, row, s.number)
    if s.weights.min() < 0 < s.weights.max() and positive != negative:
        raise SimulationError(
            "weights of both signs go to two receptors, which synapses with draws for every spike cannot",
            where=f"projection {s.number} ({plan.neurons[s.source].name} -> {plan.neurons[s.target].name})",
            expected="weights of one sign, or Projection(receptor=...)",
        )
    return negative if s.weights.min() < 0 else positive


def _mean(weights: np.ndarray) -> np.ndarray:
    return np.rint(np.array([weights.mean()])).astype(np.int32)


def build_release(plan: Plan, where: Layout, once: Once, silenced: np.ndarray) -> Release:
    """Join the synapses of a part; spikes of silenced neurons (numbers in the network) reach nobody."""
    table: list[list[int]] = []
    begins, ends, gates = [np.empty(0, np.uint32)], [np.empty(0, np.uint32)], [np.empty(0)]
    delays, weights = [np.empty(0, np.uint16)], [np.empty(0, np.int32)]
    rows = used_delays = used_weights = used_gates = 0
    keys, gate_keys = [], []
    for s, found in zip(plan.released, once.parts):
        release, source = s.release, plan.neurons[s.source]
        assert release is not None
        here = [piece for piece in where.segments if piece.population == s.target]
        if not here or not (found.ends > found.begins).any():
            continue
        line = [
            source.first, source.size, rows, found.bits, int(found.wide), found.slot, here[0].low, int(_direct(plan, s)),
            used_delays, len(release.delays), used_weights, len(release.weights), used_delays + len(release.delays),
            len(release.repeats), used_gates if len(release.gate) else -1,
            int(_mean(s.weights)[0]) if s.norm is not None and len(release.weights) else 0,
        ]  # fmt: skip
        table.append(line)
        quiet = silenced[(silenced >= source.first) & (silenced < source.first + source.size)] - source.first
        end = found.ends.copy()
        end[quiet] = found.begins[quiet]
        begins.append(found.begins)
        ends.append(end)
        delays += [release.delays, release.repeats]
        weights.append(release.weights)
        gates.append(release.gate)
        keys.append(release.key)
        gate_keys.append(release.gate_key)
        rows += source.size
        used_delays += len(release.delays) + len(release.repeats)
        used_weights += len(release.weights)
        used_gates += len(release.gate)
    return Release(
        table=np.array(table, np.int64).reshape(-1, R_MEAN + 1),
        keys=np.array(keys, np.uint64),
        gate_keys=np.array(gate_keys, np.uint64),
        begins=np.concatenate(begins),
        ends=np.concatenate(ends),
        narrow=once.narrow,
        wide=once.wide,
        delays=np.concatenate(delays),
        weights=np.concatenate(weights),
        gates=np.concatenate(gates),
    )


def _direct(plan: Plan, s: Synapses) -> bool:
    """Whether all events are due in the step after the spike, and spikes are known then."""
    assert s.release is not None
    return plan.interval == 1 and s.release.span == 0 and int(s.release.delays.max()) == 1
