"""One partition: its threads' shards, what they share, and their advance window by window."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from allometry.errors import SimulationError
from allometry.network.recording import Probe, WeightProbe, grouped
from allometry.simulate.build.plan.network import Plan
from allometry.simulate.build.shards.cells import build_cells, current_changes, probed, set_currents
from allometry.simulate.build.shards.cut import numbers, segments
from allometry.simulate.build.shards.signals import Rhythms, begun, build_signals, factors
from allometry.simulate.build.shards.state import Layout, gathered, layout, scattered
from allometry.simulate.build.synapses.plastic import build_plastic, joined, loaded, saved, weights_of, with_room
from allometry.simulate.build.synapses.release import Once, build_release, drawn_once
from allometry.simulate.build.synapses.wiring import NO_WIRING, as_wide, draw_synapses, require_sums, without
from allometry.simulate.build.threads import CROWDED, PATIENT, Stopped, together
from allometry.simulate.build.window import Window
from allometry.simulate.kernels.inputs.signals import Signals
from allometry.simulate.kernels.loop import wire
from allometry.simulate.kernels.loop.advance import OVERRUN, advance, queue_spikes
from allometry.simulate.kernels.loop.cells import COUNT, FIRST, SEEN, Cells, Meeting, Wiring
from allometry.simulate.kernels.synapses.plastic import Plastic, bring_up_to_date
from allometry.simulate.kernels.synapses.release import Held, Release, nothing_held, release_again

# What a neuron and a plastic synapse leave in a state.
_NEURON_BYTES, _SYNAPSE_BYTES = 64, 48
QUEUE_ROOM = 264
HELD_ROOM = 1040
_NEURON = np.int64(0xFFFFFFFF)


@dataclass
class Shard:
    """All that one thread owns.

    `drawn` are its synapses, `wiring` those of neurons that are not silenced; `extent` : int64 [2, slot], sums of |weight|.
    `drawn_once` are the synapses of `released`, those with draws for every spike, and `rhythms` where the rhythms of its
    inputs are.
    """

    where: Layout
    cells: Cells
    signals: Signals
    rhythms: Rhythms
    drawn: Wiring
    wiring: Wiring
    drawn_once: Once
    released: Release
    held: Held
    plastic: Plastic
    extent: np.ndarray
    narrow: np.ndarray
    wide: np.ndarray
    narrow_filled: np.ndarray
    wide_filled: np.ndarray
    generation: int = 0
    events: int = 0


def _room(plan: Plan, part: int, parts: int) -> int:
    """Return the most spikes that a part can emit in one interval."""
    total = 0
    for s in segments(plan, part, parts):
        dead = plan.neurons[s.population].dead_steps
        total += s.count * -(-plan.interval // (dead + 1))
    return total


def message_room(plan: Plan, count: int, threads: int) -> int:
    """Return the most spikes that one of `count` partitions can emit in one interval."""
    parts = count * threads
    return max(sum(_room(plan, p * threads + k, parts) for k in range(threads)) for p in range(count))


@dataclass
class Partition:
    """Partition `number` of `count`, with `threads` threads.

    `silenced` : int64, numbers of the neurons that emit no spike. `mail` is the connection to the other partitions, with `message_room` for a message.
    `crowded` says that more threads than cores take part on this host.
    """

    plan: Plan
    number: int
    count: int
    threads: int
    probes: tuple[Probe, ...] = ()
    mail: wire.Mail = field(default_factory=wire.alone)
    crowded: bool = False
    silenced: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    weights: tuple[WeightProbe, ...] = ()
    shards: list[Shard] = field(default_factory=list)
    step: int = 0

    def __post_init__(self) -> None:
        self._abort = np.zeros(8, np.int64)
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix=f"partition-{self.number}")

    def __enter__(self) -> "Partition":
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()
        self._pool.shutdown(wait=True)

    def abort(self) -> None:
        """Make all threads leave the step loop at their next wait."""
        self._abort[0] = 1

    def _parts(self) -> list[int]:
        return [self.number * self.threads + k for k in range(self.threads)]

    @property
    def neurons(self) -> np.ndarray:
        """Numbers of the partition's neurons, thread after thread, int64."""
        return np.concatenate([numbers(self.plan, part, self.count * self.threads) for part in self._parts()])

    def build(self) -> None:
        """Draw the synapses and initial state, one thread per shard."""
        self._make([None] * self.threads, False)

    def begin(self, plan: Plan, silenced: np.ndarray) -> None:
        """Go to time 0 of another condition on the same connectivity; weights are drawn again where they differ."""
        old, new = ((*p.synapses, *p.released) for p in (self.plan, plan))
        pairs = zip(old, new)
        same = [a.number for a in old] == [b.number for b in new] and all(
            a.weights is b.weights or np.array_equal(a.weights, b.weights) for a, b in pairs
        )
        self.plan, self.silenced, self.step = plan, silenced, 0
        self._make(self.shards, same)

    def _make(self, old: Sequence[Shard | None], same: bool) -> None:
        parts = zip(self._parts(), old)
        self.shards = self._together([lambda part=p, shard=s: self._build_shard(part, shard, same) for p, s in parts])
        self._meeting = self._meet()

    def _build_shard(self, part: int, old: Shard | None, same: bool) -> Shard:
        where = layout(self.plan, part, self.count * self.threads)
        cells = build_cells(self.plan, where, self.probes)
        if old is not None and same:
            drawn, extent, once = old.drawn, old.extent, old.drawn_once
        else:
            once = drawn_once(self.plan, where)
            if old is not None and not as_wide(self.plan, where, old.drawn):
                old.drawn = old.wiring = NO_WIRING
            drawn, extent = draw_synapses(self.plan, where, old.drawn if old else NO_WIRING)
        require_sums(self.plan, where, sum((x.extent for x in once.parts), extent))
        ring = self.plan.longest + 1
        return Shard(
            where=where,
            cells=cells,
            signals=build_signals(self.plan, where),
            rhythms=begun(self.plan),
            drawn=drawn,
            wiring=without(drawn, self.silenced),
            drawn_once=once,
            released=build_release(self.plan, where, once, self.silenced),
            held=nothing_held(ring if self.plan.released else 1, HELD_ROOM, self.plan.sum_type),
            plastic=build_plastic(self.plan, where, part, self.count * self.threads, self.silenced),
            extent=extent,
            generation=old.generation if old else 0,
            narrow=np.zeros((ring, QUEUE_ROOM), np.uint64),
            wide=np.zeros((ring, QUEUE_ROOM), np.uint64),
            narrow_filled=np.zeros(ring, np.int64),
            wide_filled=np.zeros(ring, np.int64),
        )

    def _meet(self) -> Meeting:
        parts = self.count * self.threads
        rooms = [_room(self.plan, part, parts) for part in self._parts()]
        starts = np.concatenate([[0], np.cumsum(rooms)]).astype(np.int64)
        voltage = np.zeros((2, self.plan.size if self.plan.network.gap_junctions else 0), self.plan.float_type)
        for shard in self.shards if voltage.size else ():
            for s in shard.cells.segments[shard.cells.segments[:, SEEN] >= 0]:
                voltage[:, s[FIRST] : s[FIRST] + s[COUNT]] = shard.cells.state[s[SEEN] : s[SEEN] + s[COUNT]]
        return Meeting(
            box=np.zeros((2, int(starts[-1])), np.int64),
            box_start=starts,
            box_count=np.zeros((2, 8 * self.threads), np.int64),
            flags=np.zeros(8 * self.threads, np.int64),
            abort=self._abort,
            voltage=voltage,
            mail=self.mail,
            patience=np.array([CROWDED if self.crowded else PATIENT], np.int64),
        )

    @property
    def synapses(self) -> int:
        """Number of synapses onto this partition."""
        return sum(
            len(s.drawn.narrow) + len(s.drawn.wide) + len(s.plastic.weight) + s.drawn_once.synapses for s in self.shards
        )

    @property
    def events(self) -> int:
        """Synaptic events delivered so far, in this condition."""
        return sum(s.events for s in self.shards)

    def window(self, last: int, watch: Callable[[], None] = lambda: None) -> Window:
        """Advance to step `last`; `watch` is called about twice a second and may raise to end the run."""
        first = self.step
        every = [round(probe.interval_ms / self.plan.dt_ms) for probe in self.weights]
        stops = {s for s in current_changes(self.plan) if first < s < last} | {last}
        stops.update(s for n in every for s in range((first // n + 1) * n, last, n))
        spikes, samples = [], []
        taken_weights: list[list[np.ndarray]] = [[] for _ in self.weights]
        ends = [np.empty((2, 0), np.int64) for _ in self.weights]
        for stop in sorted(stops):
            for shard in self.shards:
                set_currents(self.plan, shard.where, shard.cells, self.step)
                shard.signals.base[:] = shard.cells.current
            logs = self._together([lambda k=k, stop=stop: self._advance(k, stop) for k in range(self.threads)], watch)
            spikes += [log for log, _ in logs]
            samples.append([np.concatenate(group, axis=1) for group in zip(*(sample for _, sample in logs))])
            self.step = stop
            for k, n in enumerate(every):
                if stop % n == 0:
                    ends[k], weights = self._weights(self.weights[k].projection)
                    taken_weights[k].append(weights)
        merged = np.concatenate(spikes)
        if len(self.silenced):
            merged = merged[~np.isin(merged & _NEURON, self.silenced)]
        merged.sort()
        units, taken = [], []
        for number, ((variable, _), members) in enumerate(grouped(self.probes, self.plan.dt_ms).items()):
            here, offset = self._probed(variable, members)
            units.append(here)
            taken.append(np.concatenate([part[number] for part in samples], axis=0) + offset)
        weighed = [np.array(rows, np.float32) if rows else np.zeros((0, 0), np.float32) for rows in taken_weights]
        return Window(first, last, merged, tuple(taken), tuple(units), tuple(weighed), tuple(ends))

    def windows(self, last: int, watch: Callable[[], None] = lambda: None) -> list[Window]:
        """Advance as `window`; gives the window of the one condition that the partition is in."""
        return [self.window(last, watch)]

    def _weights(self, projection: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends and the present weights of a projection's synapses onto this partition, shard after shard."""
        number = sum(p.plasticity is not None for p in self.plan.network.projections[:projection])
        for shard in self.shards:
            bring_up_to_date(shard.plastic, self.step)
        parts = [weights_of(self.plan, s.where, s.plastic, number) for s in self.shards]
        return np.concatenate([x for x, _ in parts], axis=1), np.concatenate([w for _, w in parts])

    def _probed(self, variable: str, probes: Sequence[Probe]) -> tuple[np.ndarray, np.ndarray]:
        """Return the neurons of the columns of a group and what is added to their values, shard after shard."""
        units, offset = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        for shard in self.shards:
            for _, s, chosen in probed(self.plan, shard.where, probes):
                neurons = self.plan.neurons[s.population]
                units.append(chosen + neurons.first)
                offset.append(np.broadcast_to(neurons.offset(variable), neurons.size)[chosen].astype(np.float32))
        return np.concatenate(units), np.concatenate(offset)

    def _advance(self, k: int, stop: int) -> tuple[np.ndarray, list[np.ndarray]]:
        shard = self.shards[k]
        groups = shard.cells.groups.copy()
        rows, columns = stop // groups[:, 0] - self.step // groups[:, 0], groups[:, 2] - groups[:, 1]
        ends = np.cumsum(rows * columns)
        groups[:, 3] = ends - rows * columns
        samples = np.zeros(int(ends[-1]) if len(ends) else 0, np.float32)
        cells = shard.cells._replace(groups=groups, samples=samples)
        shard.plastic = with_room(self.plan, shard.plastic, self.step, stop)
        signals = shard.signals._replace(
            factors=factors(self.plan, shard.rhythms, self.step, stop), first=np.array([self.step], np.int64)
        )
        # What a network has nothing of is not compiled.
        signalled = any(len(s.signals.sparse) or len(s.signals.waves) for s in self.shards)
        released, plastic = len(self.plan.released) > 0, len(self.plan.plastic) > 0
        try:
            status, shard.generation, logged, log, events, shard.narrow, shard.wide, held = advance(
                cells, signals if signalled else None, shard.wiring, shard.released if released else None,
                shard.held if released else None, self._meeting, k, self.threads, self.step, stop, self.plan.interval,
                shard.generation, shard.where.slot_bits, shard.plastic if plastic else None, shard.narrow,
                shard.narrow_filled, shard.wide, shard.wide_filled,
            )  # fmt: skip
            shard.held = held if released else shard.held
        except BaseException:
            self.abort()
            raise
        if status != 0:
            self.abort()
            if status == OVERRUN:
                raise SimulationError(
                    "neurons spiked sooner after a spike than their refractory time",
                    where=f"partition {self.number}",
                    expected="a step that keeps to the parameter declared as refractory_time",
                    do="declare it as a plain parameter, or hold the neuron for so many steps",
                )
            if status == wire.CONFUSED:
                raise SimulationError("partitions exchanged spikes out of step", where=f"partition {self.number}")
            raise Stopped(f"partition {self.number} stopped: a peer closed its connection or the run was ended")
        shard.events += events
        pieces = np.split(samples, ends[:-1]) if len(ends) else []
        return log[:logged], [piece.reshape(*shape) for piece, *shape in zip(pieces, rows.tolist(), columns.tolist())]

    def _together(self, tasks: list, watch: Callable[[], None] = lambda: None) -> list:
        return together(self._pool, tasks, self.abort, watch)

    @property
    def state_bytes(self) -> int:
        """Bytes of the state of the partition's neurons and plastic synapses, roughly."""
        plastic = sum(len(shard.plastic.weight) for shard in self.shards)
        return _NEURON_BYTES * len(self.neurons) + _SYNAPSE_BYTES * plastic

    def state(self, condition: int = 0) -> dict[str, np.ndarray]:
        """Return copies of the state of all neurons, in the order of `neurons`; there is one condition at a time."""
        parts = [gathered(self.plan, s.where, s.cells) for s in self.shards]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def plastic_state(self) -> dict[str, np.ndarray]:
        """Return the state of all plastic synapses, brought up to date; empty where there are none."""
        if not self.plan.plastic:
            return {}
        parts = []
        for shard in self.shards:
            shard.plastic, found = saved(self.plan, shard.where, shard.plastic, self.step)
            parts.append(found)
        return joined(parts)

    def restore_plastic(self, state: Mapping[str, np.ndarray]) -> None:
        """Give the plastic synapses the state that `plastic_state` of all partitions gave; after `restore`."""
        for shard in self.shards:
            shard.plastic = loaded(self.plan, shard.where, shard.plastic, self.step, state)

    def restore(self, step: int, state: dict[str, np.ndarray], recent: np.ndarray, condition: int = 0) -> None:
        """Continue at `step` from the state of this partition's neurons and all spikes still under way."""
        self.step = step
        at = 0
        for shard in self.shards:
            n = shard.where.neurons
            scattered(self.plan, shard.where, shard.cells, {name: v[at : at + n] for name, v in state.items()})
            at += n
            due = recent[(recent >> 32) >= step - self.plan.longest]
            self._requeue(shard, due)
            if len(shard.released.table):
                shard.held = release_again(shard.released, shard.held, np.sort(due), step, shard.cells.arrived)
        self._meeting = self._meet()

    def _requeue(self, shard: Shard, spikes: np.ndarray) -> None:
        """Queue spikes under way; rows that were due before the restart are dropped."""
        ring = self.plan.longest + 1
        narrow, wide = np.zeros_like(shard.narrow), np.zeros_like(shard.wide)
        for step in np.unique(spikes >> 32):
            narrow_filled, wide_filled = np.zeros(ring, np.int64), np.zeros(ring, np.int64)
            here = np.ascontiguousarray(spikes[spikes >> 32 == step])
            narrow, wide = queue_spikes(here, shard.wiring, narrow, narrow_filled, wide, wide_filled)
            for slot in np.flatnonzero(narrow_filled + wide_filled).tolist():
                if step + (slot - step) % ring < self.step:
                    continue
                shard.narrow = _append(shard.narrow, shard.narrow_filled, slot, narrow[slot, : narrow_filled[slot]])
                shard.wide = _append(shard.wide, shard.wide_filled, slot, wide[slot, : wide_filled[slot]])


def _append(queue: np.ndarray, filled: np.ndarray, slot: int, entries: np.ndarray) -> np.ndarray:
    need = int(filled[slot]) + len(entries)
    if need > queue.shape[1]:
        queue = np.concatenate([queue, np.zeros((queue.shape[0], need), np.uint64)], axis=1)
    queue[slot, filled[slot] : need] = entries
    filled[slot] = need
    return queue
