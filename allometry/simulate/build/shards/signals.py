"""Inputs that are computed step by step, in arrays: Poisson input at rates per neuron, rhythms, currents in waves."""

from dataclasses import dataclass

import numpy as np

from allometry.network import DCInput, Network, Periodic, PoissonInput, Rhythm
from allometry.simulate.build.fixedpoint import round_to
from allometry.simulate.build.plan.network import Plan
from allometry.simulate.build.shards.state import Layout, per_neuron, slot_of
from allometry.simulate.build.timing import boundary_step
from allometry.simulate.kernels.inputs.signals import Signals, negative_exponentials, rhythm
from allometry.simulate.kernels.rng import Purpose, key

_LARGEST_GROUP = 256
_EVENTS_PER_GROUP = 8.0


@dataclass
class Rhythms:
    """The common oscillations of a plan, and where each of them is: a step and the phase there, float64 [rhythm, 2]."""

    inputs: tuple[int, ...]
    state: np.ndarray


def sparse_inputs(net: Network) -> tuple[int, ...]:
    """Return the numbers of the inputs with rates per neuron or a rhythm."""
    return tuple(k for k, x in enumerate(net.inputs) if isinstance(x, PoissonInput) and x.sparse)


def group_size(most: float) -> int:
    """Return how many neurons make a group, a power of two, where the largest mean number of events per step is `most`."""
    size = _LARGEST_GROUP
    while size > 1 and size * most > _EVENTS_PER_GROUP:
        size //= 2
    return size


def means_per_step(x: PoissonInput, size: int, dt_ms: float) -> np.ndarray:
    """Return the mean number of events of every neuron in a step at the largest factor of the rhythm, float64 [neuron]."""
    rates = np.array(np.broadcast_to(np.asarray(x.rate_hz, np.float64), size))
    if x.neurons is not None:
        driven = np.zeros(size, bool)
        driven[x.neurons] = True
        rates[~driven] = 0.0
    return rates * (dt_ms * 1e-3 * (1.0 + x.rhythm.depth if x.rhythm else 1.0))


def build_signals(plan: Plan, where: Layout) -> Signals:
    """Return the inputs of a part that are computed step by step."""
    net = plan.network
    table, keys = [], []
    shares, means = [np.empty(0, np.float32)], [np.empty(0)]
    share_at = mean_at = rhythms = 0
    for number in sparse_inputs(net):
        x = net.inputs[number]
        assert isinstance(x, PoissonInput)
        neurons = next(n for n in plan.neurons if n.name == x.population)
        wanted = means_per_step(x, neurons.size, net.dt_ms)
        size = group_size(float(wanted.max(initial=0.0)))
        starts = np.arange(0, neurons.size, size)
        most = np.maximum.reduceat(wanted, starts)
        counts = np.diff(np.append(starts, neurons.size))
        of_neuron = np.repeat(most, counts)
        shares.append(np.divide(wanted, of_neuron, out=np.zeros_like(wanted), where=of_neuron > 0).astype(np.float32))
        means.append(most * counts)
        weight = int(round_to(np.array([x.weight]), neurons.quantum.value)[0])
        for row, s in enumerate(where.segments):
            if plan.neurons[s.population] is not neurons or weight == 0:
                continue
            slot = slot_of(plan, where, row, x.weight < 0, "inputs", x.receptor, f"input {number}")
            table.append([
                slot, s.low, s.count, size, share_at, mean_at, weight,
                boundary_step(x.start_ms, net.dt_ms), boundary_step(x.stop_ms, net.dt_ms),
                rhythms if x.rhythm else -1, neurons.size,
            ])  # fmt: skip
            keys.append(key(plan.drive_seed, Purpose.POISSON, number))
        share_at += neurons.size
        mean_at += len(starts)
        rhythms += x.rhythm is not None
    every = np.concatenate(means)
    return Signals(
        sparse=np.array(table, np.int64).reshape(-1, 11),
        sparse_keys=np.array(keys, np.uint64),
        shares=np.concatenate(shares),
        means=every,
        nothing=negative_exponentials(every),
        factors=np.zeros((rhythms, 0)),
        first=np.zeros(1, np.int64),
        **_waves(plan, where),
        base=np.zeros(where.neurons, plan.float_type),
    )


def _waves(plan: Plan, where: Layout) -> dict[str, np.ndarray]:
    net = plan.network
    table, turns, seen = [], [], set()
    samples, amplitude, phase = [np.empty(0)], [np.empty(0)], [np.empty(0)]
    at = own = 0
    for x in net.inputs:
        if not (isinstance(x, DCInput) and isinstance(x.amplitude, Periodic)):
            continue
        wave = x.amplitude
        samples.append(wave.values)
        for s in where.segments:
            if plan.neurons[s.population].name != x.population:
                continue
            amplitude.append(per_neuron(np.asarray(wave.amplitude, np.float64), s))
            phase.append(per_neuron(np.asarray(wave.phase, np.float64), s))
            begin, end = boundary_step(x.start_ms, net.dt_ms), boundary_step(x.stop_ms, net.dt_ms)
            table.append([s.start, s.count, at, len(wave.values), own, begin, end, s.population not in seen])
            turns.append(wave.frequency_hz * net.dt_ms * 1e-3)
            seen.add(s.population)
            own += s.count
        at += len(wave.values)
    return {
        "waves": np.array(table, np.int64).reshape(-1, 8),
        "turns": np.array(turns, np.float64),
        "samples": np.concatenate(samples),
        "amplitude": np.concatenate(amplitude),
        "phase": np.concatenate(phase),
    }


def begun(plan: Plan) -> Rhythms:
    """Return the rhythms of a plan, none of which has been computed."""
    chosen = tuple(k for k in sparse_inputs(plan.network) if plan.network.inputs[k].rhythm)  # type: ignore[union-attr]
    return Rhythms(chosen, np.full((len(chosen), 2), -1.0))


def factors(plan: Plan, rhythms: Rhythms, first: int, last: int) -> np.ndarray:
    """Return the factors of all rhythms in steps [first, last), relative to the largest, float64 [rhythm, step]."""
    out = np.zeros((len(rhythms.inputs), last - first))
    dt = plan.network.dt_ms
    for k, number in enumerate(rhythms.inputs):
        x = plan.network.inputs[number].rhythm  # type: ignore[union-attr]
        assert isinstance(x, Rhythm)
        stream = key(plan.drive_seed, Purpose.RHYTHM, number)
        spread = float(np.sqrt(x.diffusion * dt)) / (2.0 * np.pi)
        rhythm(stream, first, last, x.frequency_hz * dt * 1e-3, spread, float(x.depth), rhythms.state[k], out[k])
    return out
