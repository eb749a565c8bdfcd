"""Projections with draws for every spike in arrays: drawn as all others are, source by source; and what is drawn."""

import dataclasses
import math
from collections.abc import Sequence
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
    """The synapses of one projection onto a part, before they are joined.

    begins, ends : uint32 [source]; words : uint32 or uint64, weight above the slot; bits : int, of a slot; extent : int64
    [2, slot], sums of |weight| per sign.
    """

    begins: np.ndarray
    ends: np.ndarray
    words: np.ndarray
    bits: int
    extent: np.ndarray


def drawn_once(plan: Plan, where: Layout) -> tuple[Drawn, ...]:
    """Draw the synapses of all projections with draws for every spike."""
    return tuple(_draw(plan, where, s) for s in plan.released)


def _draw(plan: Plan, where: Layout, s: Synapses) -> Drawn:
    assert s.release is not None
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
    return Drawn(limits[:-1], limits[1:], words, where.slot_bits if narrow else 32, extent * most)


def _mean(weights: np.ndarray) -> np.ndarray:
    return np.rint(np.array([weights.mean()])).astype(np.int32)


def build_release(plan: Plan, where: Layout, drawn: Sequence[Drawn], silenced: np.ndarray) -> Release:
    """Join the synapses of a part; spikes of silenced neurons (numbers in the network) reach nobody."""
    table: list[list[int]] = []
    begins, ends, gates = [np.empty(0, np.uint32)], [np.empty(0, np.uint32)], [np.empty(0)]
    narrow, wide = [np.empty(0, np.uint32)], [np.empty(0, np.uint64)]
    delays, weights = [np.empty(0, np.uint16)], [np.empty(0, np.int32)]
    blocks: dict[int, list[int]] = {}
    rows = in_ring = used_delays = used_weights = used_gates = 0
    filled = {np.dtype(np.uint32): 0, np.dtype(np.uint64): 0}
    keys, gate_keys = [], []
    for s, found in zip(plan.released, drawn):
        release, source = s.release, plan.neurons[s.source]
        assert release is not None
        here = [(row, piece) for row, piece in enumerate(where.segments) if piece.population == s.target]
        if not here or not len(found.words):
            continue
        ((row, piece),) = here
        positive, negative = synapse_slots(plan, where, row, s.number)
        slot = negative if s.weights.min() < 0 else positive
        if s.weights.min() < 0 < s.weights.max() and positive != negative:
            names = plan.neurons[s.target].name
            raise SimulationError(
                "weights of both signs go to two receptors, which synapses with draws for every spike cannot",
                where=f"projection {s.number} ({source.name} -> {names})",
                expected="weights of one sign, or Projection(receptor=...)",
            )
        direct = plan.interval == 1 and release.span == 0 and int(release.delays.max()) == 1
        if not direct and slot not in blocks:
            blocks[slot] = [slot, piece.count, in_ring]
            in_ring += piece.count
        wide_words = found.words.dtype == np.uint64
        line = [
            source.first, source.size, rows, found.bits, int(wide_words), slot, piece.low,
            -1 if direct else blocks[slot][2], used_delays, len(release.delays), used_weights, len(release.weights),
            used_delays + len(release.delays), len(release.repeats), used_gates if len(release.gate) else -1,
            int(_mean(s.weights)[0]) if s.norm is not None and len(release.weights) else 0,
        ]  # fmt: skip
        table.append(line)
        base = filled[found.words.dtype]
        quiet = silenced[(silenced >= source.first) & (silenced < source.first + source.size)] - source.first
        begin, end = found.begins + np.uint32(base), found.ends + np.uint32(base)
        end[quiet] = begin[quiet]
        begins.append(begin)
        ends.append(end)
        (wide if wide_words else narrow).append(found.words)
        filled[found.words.dtype] += len(found.words)
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
        narrow=_joined(narrow),
        wide=_joined(wide),
        delays=np.concatenate(delays),
        weights=np.concatenate(weights),
        gates=np.concatenate(gates),
        ring=np.zeros((plan.longest + 1, in_ring), plan.sum_type),
        blocks=np.array(list(blocks.values()), np.int64).reshape(-1, 3),
    )


def _joined(words: list[np.ndarray]) -> np.ndarray:
    return words[1] if len(words) == 2 else np.concatenate(words)
