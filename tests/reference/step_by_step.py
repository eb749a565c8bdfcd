"""Plain numpy integration of a `Network`, one step at a time: an oracle for the engine that anybody can read.

Explicit edges, direct currents and spike lists only, float64 throughout. With weights that are multiples of a power of
two it gives the spikes of NEST exactly (tests/reference/test_step_by_step.py).
"""

import math

import numpy as np
from scipy.linalg import expm

from allometry.network import (
    ConnectomeLif,
    Constant,
    DCInput,
    ExplicitEdges,
    IafPscAlpha,
    IafPscDelta,
    IafPscExp,
    Network,
    Piecewise,
    Sampled,
    SpikeListInput,
    Values,
)


def simulate(net: Network, duration_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """Spikes (step, unit) sorted by both; `step` counts from 0 for the update from 0 to dt."""
    h, steps, n = net.dt_ms, round(duration_ms / net.dt_ms), net.size
    group = [slice(net.offsets[p.name], net.offsets[p.name] + p.size) for p in net.populations]
    source, target, weight, delay = _edges(net)
    pointer = np.searchsorted(source, np.arange(n + 1))
    slots = int(delay.max(initial=0)) + 1
    positive, negative = np.zeros((slots, n)), np.zeros((slots, n))
    kicks = _kicks(net, steps)
    v = np.concatenate([_initial(p) for p in net.populations])
    neurons = [_NEURONS[type(p.neuron)](p.neuron, h, p.size) for p in net.populations]
    found_step, found_unit = [], []
    for k in range(steps):
        slot = k % slots
        fired = []
        for p, (neuron, part) in enumerate(zip(neurons, group)):
            arriving = [positive[slot, part], negative[slot, part], np.zeros(neuron.size)]
            for kick_part, kick in kicks.get((p, k), ()):
                if isinstance(net.populations[p].neuron, ConnectomeLif):
                    np.add.at(arriving[2], kick_part, kick)
                else:
                    np.add.at(arriving[0], kick_part, np.maximum(kick, 0))
                    np.add.at(arriving[1], kick_part, np.minimum(kick, 0))
            current = _current(net, p, k * h)
            v[part], crossed = neuron.step(v[part], *arriving, current)
            fired.append(np.flatnonzero(crossed) + part.start)
        positive[slot] = negative[slot] = 0.0
        for unit in np.concatenate(fired):
            mine = slice(pointer[unit], pointer[unit + 1])
            later = (k + delay[mine]) % slots
            np.add.at(positive, (later, target[mine]), np.maximum(weight[mine], 0))
            np.add.at(negative, (later, target[mine]), np.minimum(weight[mine], 0))
            found_step.append(k)
            found_unit.append(unit)
    step, unit = np.array(found_step, np.int64), np.array(found_unit, np.int64)
    order = np.lexsort((unit, step))
    return step[order], unit[order]


class _Exp:
    """Currents first act in the step after they arrive; V is held while refractory."""

    def __init__(self, p: IafPscExp, h: float, size: int) -> None:
        self.p, self.size = p, size
        self.excitatory, self.inhibitory, self.refractory = np.zeros(size), np.zeros(size), np.zeros(size, int)
        self.decay_v = math.exp(-h / p.tau_m)
        self.decay_ex, self.decay_in = math.exp(-h / p.tau_syn_ex), math.exp(-h / p.tau_syn_in)
        self.from_ex, self.from_in = self._propagator(p.tau_syn_ex, h), self._propagator(p.tau_syn_in, h)
        self.from_dc = -p.tau_m / p.C_m * math.expm1(-h / p.tau_m)
        self.hold = round(p.t_ref / h)

    def _propagator(self, tau_s: float, h: float) -> float:
        beta = tau_s * self.p.tau_m / (self.p.tau_m - tau_s)
        return beta / self.p.C_m * math.exp(-h / tau_s) * math.expm1(h / beta)

    def step(self, v, positive, negative, kick, dc):
        u = v - self.p.E_L
        moved = (
            u * self.decay_v
            + self.excitatory * self.from_ex
            + self.inhibitory * self.from_in
            + (self.p.I_e + dc) * self.from_dc
        )
        free = self.refractory == 0
        u = np.where(free, moved, u)
        self.refractory[~free] -= 1
        self.excitatory = self.excitatory * self.decay_ex + positive
        self.inhibitory = self.inhibitory * self.decay_in + negative
        crossed = u >= self.p.V_th - self.p.E_L
        self.refractory[crossed] = self.hold
        return np.where(crossed, self.p.V_reset, u + self.p.E_L), crossed


class _Alpha:
    """The linear system of V and of both currents with their slopes, by its matrix exponential."""

    def __init__(self, p: IafPscAlpha, h: float, size: int) -> None:
        self.p, self.size = p, size
        self.state, self.refractory = np.zeros((4, size)), np.zeros(size, int)  # slope and current, of each sign
        flow = np.zeros((6, 6))  # ..., V, and a constant current
        for row, tau in ((0, p.tau_syn_ex), (2, p.tau_syn_in)):
            flow[row, row] = flow[row + 1, row + 1] = -1 / tau
            flow[row + 1, row] = 1
            flow[4, row + 1] = 1 / p.C_m
        flow[4, 4], flow[4, 5] = -1 / p.tau_m, 1 / p.C_m
        self.moves = expm(flow * h)
        self.hold = round(p.t_ref / h)

    def step(self, v, positive, negative, kick, dc):
        given = np.broadcast_to(self.p.I_e + dc, self.size)
        moved = self.moves @ np.vstack([self.state, v - self.p.E_L, given])
        free = self.refractory == 0
        u = np.where(free, moved[4], v - self.p.E_L)
        self.refractory[~free] -= 1
        self.state = moved[:4]
        self.state[0] += math.e / self.p.tau_syn_ex * positive
        self.state[2] += math.e / self.p.tau_syn_in * negative
        crossed = u >= self.p.V_th - self.p.E_L
        self.refractory[crossed] = self.hold
        return np.where(crossed, self.p.V_reset, u + self.p.E_L), crossed


class _Delta:
    """V jumps by what arrives; a refractory neuron discards it."""

    def __init__(self, p: IafPscDelta, h: float, size: int) -> None:
        self.p, self.size, self.refractory = p, size, np.zeros(size, int)
        self.decay, self.from_dc = math.exp(-h / p.tau_m), -p.tau_m / p.C_m * math.expm1(-h / p.tau_m)
        self.hold = round(p.t_ref / h)

    def step(self, v, positive, negative, kick, dc):
        u = v - self.p.E_L
        moved = self.from_dc * (self.p.I_e + dc) + self.decay * u + (positive + negative)
        free = self.refractory == 0
        u = np.where(free, moved, u)
        self.refractory[~free] -= 1
        crossed = u >= self.p.V_th - self.p.E_L
        self.refractory[crossed] = self.hold
        return np.where(crossed, self.p.V_reset, u + self.p.E_L), crossed


class _Connectome:
    """V and g are frozen while refractory, arrivals go to g, kicks to V; V above threshold resets V and g."""

    def __init__(self, p: ConnectomeLif, h: float, size: int) -> None:
        self.p, self.size = p, size
        self.g, self.refractory = np.zeros(size), np.zeros(size, int)
        self.a, self.b = math.exp(-h / p.tau_m), math.exp(-h / p.tau_syn)
        self.c = p.tau_syn / (p.tau_syn - p.tau_m) * (self.b - self.a)
        self.hold = np.round(np.broadcast_to(p.t_ref, size) / h).astype(int)

    def step(self, v, positive, negative, kick, dc):
        free = self.refractory == 0
        v = np.where(free, self.p.E_L + (v - self.p.E_L) * self.a + self.g * self.c, v)
        self.g = np.where(free, self.g * self.b, self.g) + positive + negative
        v = v + kick
        crossed = free & (v > self.p.V_th)
        self.refractory[~free] -= 1
        self.refractory[crossed] = self.hold[crossed]
        self.g[crossed] = 0.0
        return np.where(crossed, self.p.V_reset, v), crossed


_NEURONS = {IafPscExp: _Exp, IafPscAlpha: _Alpha, IafPscDelta: _Delta, ConnectomeLif: _Connectome}


def _initial(population) -> np.ndarray:
    v = population.initial_v
    if v is None:
        return np.full(population.size, population.neuron.E_L)
    if isinstance(v, Constant):
        return np.full(population.size, v.value)
    assert isinstance(v, Values), "a random initial voltage has no plain oracle"
    return v.values.copy()


def _edges(net: Network) -> tuple[np.ndarray, ...]:
    columns: list[list[np.ndarray]] = [[np.empty(0, int)], [np.empty(0, int)], [np.empty(0)], [np.empty(0, int)]]
    for p in net.projections:
        assert isinstance(p.rule, ExplicitEdges), "only listed edges have a plain oracle"
        columns[0].append(p.rule.source + net.offsets[p.source])
        columns[1].append(p.rule.target + net.offsets[p.target])
        columns[2].append(p.rule.weight)
        columns[3].append(np.round(p.rule.delay / net.dt_ms).astype(int))
    joined = [np.concatenate(c) for c in columns]
    order = np.argsort(joined[0], kind="stable")
    return tuple(c[order] for c in joined)


def _kicks(net: Network, steps: int) -> dict[tuple[int, int], list]:
    found: dict[tuple[int, int], list] = {}
    names = [p.name for p in net.populations]
    for i in net.inputs:
        if isinstance(i, SpikeListInput):
            weight = np.broadcast_to(i.weight, i.times_ms.shape)
            for neuron, time, w in zip(i.neurons, i.times_ms, weight):
                key = names.index(i.population), math.floor(time / net.dt_ms + 1e-6)
                found.setdefault(key, []).append((np.array([neuron]), np.array([w])))
        else:
            assert isinstance(i, DCInput), "random inputs have no plain oracle"
    return found


def _current(net: Network, p: int, t_ms: float) -> np.ndarray | float:
    mine = [i for i in net.inputs if isinstance(i, DCInput) and i.population == net.populations[p].name]
    return sum((_amplitude(i.amplitude, t_ms, net.dt_ms) for i in mine if i.start_ms <= t_ms + 1e-9 < i.stop_ms), 0.0)


def _amplitude(given: object, t_ms: float, dt_ms: float) -> np.ndarray | float:
    """The value of a profile in the step that begins at `t_ms`, by looking through its pieces in order."""
    if not isinstance(given, Piecewise | Sampled):
        return given  # type: ignore[return-value]
    step, value = round(t_ms / dt_ms), 0.0 * given.values[0]
    for k, begin in enumerate(given.times_ms):
        if math.floor(begin / dt_ms + 0.5 + 1e-9) <= step:
            value = given.values[k] if k < len(given.values) else 0.0 * value
    return value
