"""One partition of a network of rate units: its threads' shards, and the advance of several conditions, window by window."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from allometry.errors import SimulationError
from allometry.numerics.fixed_order import product
from allometry.simulate.build.rates.plan import RatePlan, course, dense_weights, one_connectivity
from allometry.simulate.build.rates.propagator import propagators
from allometry.simulate.build.rates.recording import Chosen
from allometry.simulate.build.rates.shard import (
    block_range,
    build_units,
    partial_range,
    partial_starts,
    segments,
    unit_range,
)
from allometry.simulate.build.threads import CROWDED, PATIENT, Stopped, together
from allometry.simulate.build.window import Window
from allometry.simulate.kernels.loop import wire
from allometry.simulate.kernels.rates.advance import Course, Meeting, Units, advance_rates
from allometry.simulate.kernels.rng import Purpose, key

NO_SPIKES = np.empty(0, np.int64)


@dataclass
class Shard:
    """What one thread owns: blocks [low, high) with their units, and their states, float64 [condition, unit]."""

    low: int
    high: int
    units: Units
    x: np.ndarray


def message_room(plan: RatePlan, count: int, conditions: int) -> int:
    """Return the most numbers that one of `count` partitions sends in a step."""
    rooms = []
    for number in range(count):
        low, high = block_range(plan, number, count)
        first, last = unit_range(plan, low, high)
        sums = [partial_range(plan, k, low, high) for k in range(len(plan.sums))]
        rooms.append((last - first) * plan.shares + sum(b - a for a, b in sums))
    return conditions * max(rooms)


@dataclass
class RatePartition:
    """Partition `number` of `count`, with `threads` threads, for conditions on one connectivity.

    `plans` has a plan per condition; `silenced` : int64, numbers of the units that reach nobody, the same in all of them.
    """

    plans: Sequence[RatePlan]
    number: int
    count: int
    threads: int
    chosen: Chosen
    mail: wire.Mail = field(default_factory=wire.alone)
    crowded: bool = False
    silenced: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    shards: list[Shard] = field(default_factory=list)
    step: int = 0

    def __post_init__(self) -> None:
        self._abort = np.zeros(8, np.int64)
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix=f"partition-{self.number}")
        self._generation = 0
        self._settings: dict[bytes, int] = {}

    def __enter__(self) -> "RatePartition":
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()
        self._pool.shutdown(wait=True)

    def abort(self) -> None:
        """Make all threads leave the step loop at their next wait."""
        self._abort[0] = 1

    @property
    def plan(self) -> RatePlan:
        """Plan of the first condition; all have its connectivity."""
        return self.plans[0]

    @property
    def neurons(self) -> np.ndarray:
        """Numbers of the partition's units, thread after thread, int64."""
        return np.arange(*unit_range(self.plan, *block_range(self.plan, self.number, self.count)))

    @property
    def synapses(self) -> int:
        """Number of weights, and of factors of weights, onto this partition."""
        return sum(len(s.units.weights) + len(s.units.edge_weights) + s.units.exact.size for s in self.shards)

    @property
    def events(self) -> int:
        """Synaptic events: none."""
        return 0

    @property
    def state_bytes(self) -> int:
        """Bytes of the state of the partition's units, of one condition."""
        return 8 * len(self.neurons)

    def build(self) -> None:
        """Make the shards at time 0."""
        self._settings, self.step = {}, 0
        plan = self.plan
        cuts = [
            block_range(plan, self.number * self.threads + k, self.count * self.threads) for k in range(self.threads)
        ]
        self.shards = together(self._pool, [partial(self._build_shard, *cut) for cut in cuts], self.abort)
        self._meeting = self._meet()

    def begin(self, plans: Sequence[RatePlan], silenced: np.ndarray) -> None:
        """Go to time 0 of other conditions; the connectivity is built again where it differs."""
        same = one_connectivity([*self.plans, *plans]) and np.array_equal(self.silenced, silenced)
        self.plans, self.silenced, self.step = plans, silenced, 0
        if not same or self.plan.exact:
            self.build()
            return
        for shard in self.shards:
            shard.units = shard.units._replace(patterns=self._patterns(shard.low, shard.high))
            shard.x = self._initial(shard.low, shard.high)
        self._meeting = self._meet()

    def _build_shard(self, low: int, high: int) -> Shard:
        first, _ = unit_range(self.plan, low, high)
        probes = self.chosen.within(*unit_range(self.plan, low, high)) - first
        units = build_units(self.plan, low, high, self.silenced, probes, self.chosen.rate)
        units = units._replace(patterns=self._patterns(low, high))
        return Shard(low, high, units, self._initial(low, high))

    def _patterns(self, low: int, high: int) -> np.ndarray:
        """Return the patterns of all conditions, condition after condition, in the one setting of a network without propagators."""
        here = slice(*unit_range(self.plan, low, high))
        return np.ascontiguousarray(np.concatenate([plan.patterns[:, here] for plan in self.plans])[None])

    def _initial(self, low: int, high: int) -> np.ndarray:
        own = segments(self.plan, low, high)
        rows = [[plan.initial(s.population)[s.low : s.high] for s in own] for plan in self.plans]
        return np.array([np.concatenate(row) if row else np.empty(0) for row in rows]).reshape(len(self.plans), -1)

    def _meet(self) -> Meeting:
        plan, conditions = self.plan, len(self.plans)
        others = [k for k in range(self.count) if k != self.number]
        cuts = [block_range(plan, k, self.count) for k in (self.number, *others)]
        blocks = [[partial_range(plan, s, *cut) for s in range(len(plan.sums))] for cut in cuts]
        return Meeting(
            shared=np.zeros((2, conditions, plan.size)),
            partial=np.zeros((2, conditions, partial_starts(plan)[-1])),
            flags=np.zeros(8 * self.threads, np.int64),
            abort=self._abort,
            patience=np.array([CROWDED if self.crowded else PATIENT], np.int64),
            mail=self.mail,
            outgoing=self.mail.outgoing.view(np.float64),
            incoming=self.mail.incoming.view(np.float64),
            ranges=np.array([unit_range(plan, *cut) for cut in cuts], np.int64),
            blocks=np.array(blocks, np.int64).reshape(len(cuts), -1, 2),
            sends=np.array([int(plan.shares)], np.int64),
        )

    def windows(self, last: int, watch: Callable[[], None] = lambda: None) -> list[Window]:
        """Advance to step `last`; gives a window per condition. `watch` is called about twice a second and may raise."""
        first = self.step
        rows = self.chosen.samples(first, last)
        courses = self._courses(first, last)
        writes = self.number == 0
        samples = [np.zeros((len(self.plans), rows, len(s.units.probes)), np.float32) for s in self.shards]
        sums = np.zeros((len(self.plans), rows, self.plan.columns if writes else 0))
        nothing = np.zeros((len(self.plans), rows, 0))
        tasks = [
            partial(self._advance, k, first, last, courses[k], samples[k], nothing if k else sums)
            for k in range(self.threads)
        ]
        self._generation = together(self._pool, tasks, self.abort, watch)[0]
        self.step = last
        units = np.concatenate([s.units.probes + unit_range(self.plan, s.low, s.high)[0] for s in self.shards])
        joined = np.concatenate(samples, axis=2)
        if self.chosen.rate:
            joined[:, :, np.isin(units, self.silenced)] = 0.0
        columns = np.arange(sums.shape[2])
        return [Window(first, last, NO_SPIKES, (joined[b], sums[b]), (units, columns)) for b in range(len(self.plans))]

    def _advance(self, k: int, first: int, last: int, changing: Course, samples: np.ndarray, sums: np.ndarray) -> int:
        shard = self.shards[k]
        try:
            status, generation = advance_rates(
                shard.units, changing, self._meeting, k, self.threads, first, last, self.chosen.every, self._generation,
                shard.x, samples, sums,
            )  # fmt: skip
        except BaseException:
            self.abort()
            raise
        if status != 0:
            self.abort()
            if status == wire.CONFUSED:
                raise SimulationError("partitions exchanged rates out of step", where=f"partition {self.number}")
            raise Stopped(f"partition {self.number} stopped: a peer closed its connection or the run was ended")
        return int(generation)

    def _courses(self, first: int, last: int) -> list[Course]:
        """Return what changes in a window, for every shard."""
        signal_rows, gain_rows, settings, signals, gains = [], [], [], [], []
        at, channel, channels = [0, 0], 0, sum(plan.signal_count for plan in self.plans)
        for plan in self.plans:
            rows, table = course(plan.signals, plan.signal_count, 0.0, first, last)
            signal_rows.append(rows + at[0])
            wide = np.zeros((len(table), channels))
            wide[:, channel : channel + plan.signal_count] = table
            signals.append(wide)
            channel += plan.signal_count
            rows, factors = course(plan.gains, plan.gain_count, 1.0, first, last)
            gain_rows.append(rows + at[1])
            gains.append(factors)
            numbers = np.array([self._setting(row) for row in factors] if plan.exact else [0] * len(factors), np.int64)
            settings.append(numbers[rows])
            at = [at[0] + len(table), at[1] + len(factors)]
        keys = [[key(plan.drive_seed, Purpose.NOISE, k) for k in range(len(plan.units))] for plan in self.plans]
        shared = {
            "signal": np.array(signal_rows),
            "gain": np.array(gain_rows),
            "setting": np.array(settings),
            "signals": np.concatenate(signals),
            "gains": np.concatenate(gains),
            "keys": np.array(keys, np.uint64),
        }
        return [Course(**shared, **self._resets(shard, first, last)) for shard in self.shards]

    def _resets(self, shard: Shard, first: int, last: int) -> dict[str, np.ndarray]:
        rows, values, at = [], [np.empty(0)], 0
        own = segments(self.plan, shard.low, shard.high)
        for b, plan in enumerate(self.plans):
            for step, population, row in plan.resets:
                for s in own if first <= step < last else ():
                    if s.population == population:
                        rows.append([step, b, s.start, s.count, at])
                        values.append(row[s.low : s.high])
                        at += s.count
        return {
            "resets": np.array(sorted(rows, key=lambda r: r[0]), np.int64).reshape(-1, 5),
            "values": np.concatenate(values),
        }

    def _setting(self, gains: np.ndarray) -> int:
        """Return the number of the propagator under given gains; a new one is computed."""
        known = self._settings.setdefault(gains.tobytes(), len(self._settings))
        if known == self.shards[0].units.exact.shape[0]:
            plan = self.plan
            tau = np.concatenate([np.broadcast_to(np.asarray(u.model.tau_ms, np.float64), u.size) for u in plan.units])
            generator = (dense_weights(plan, gains, self.silenced) - np.eye(plan.size)) / tau[:, None]
            step, integral = propagators(generator, plan.network.dt_ms)
            driven = _times(np.concatenate([p.patterns for p in self.plans]) / tau, integral)
            for shard in self.shards:
                here = slice(*unit_range(plan, shard.low, shard.high))
                exact, patterns = np.ascontiguousarray(step[here].T)[None], np.ascontiguousarray(driven[:, here])[None]
                old = shard.units
                shard.units = old._replace(
                    exact=exact if not known else np.concatenate([old.exact, exact]),
                    patterns=patterns if not known else np.concatenate([old.patterns, patterns]),
                )
        return known

    def state(self, condition: int = 0) -> dict[str, np.ndarray]:
        """Return copies of the states of all units of a condition, in the order of `neurons`."""
        return {"x": np.concatenate([shard.x[condition] for shard in self.shards])}

    def plastic_state(self) -> dict[str, np.ndarray]:
        """Return the state of plastic synapses: there are none."""
        return {}

    def restore(self, step: int, state: Mapping[str, np.ndarray], recent: np.ndarray, condition: int = 0) -> None:
        """Continue a condition at `step` from the states of this partition's units; no spikes are under way."""
        self.step, at = step, 0
        for shard in self.shards:
            n = shard.x.shape[1]
            shard.x[condition] = state["x"][at : at + n]
            at += n


def _times(patterns: np.ndarray, integral: np.ndarray) -> np.ndarray:
    """Return the integral of the propagator times each pattern, float64 [channel, unit]."""
    return np.ascontiguousarray(product(integral, patterns.T).T) if len(patterns) else patterns
