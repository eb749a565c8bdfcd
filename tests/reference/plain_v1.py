"""Plain numpy integration of macaque V1 layer 4C-alpha, one step at a time: an oracle for the engine that anybody can read.

Written from the equations of Chariker, Shapley & Young 2016 and their published parameters alone: nothing of the engine is
used. A step has the order of the original: voltages from the conductances of the step before, conductances, clamps, LGN
cells, then what arrives, then spikes. Voltages in units of the threshold, times in ms, lengths in um; float64 throughout.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

DT = 0.1
E_EX, E_IN = 4.67, -0.67
TAU_AMPA, TAU_GABA = 1.1667, 1.87875
TAU_NMDA, TAU_NMDA_RISE = 80.0, 2.0
GABA_TAU_BEFORE, GABA_BEFORE, GABA_LOSS = 1.67, 1.3333, 0.0335616
LGN_THRESHOLD, LGN_LEAK, LGN_DRIVE = 1.2, 0.1, 0.1
UM_PER_DEGREE = 2000.0


class Cubic:
    """A conductance with the kernel (t / tau)^3 exp(-t / tau): itself and three more numbers per cell, [4, cell]."""

    def __init__(self, size: int, tau: float) -> None:
        self.a, self.e = DT / tau, math.exp(-DT / tau)
        self.g = np.zeros((4, size))

    def evolve(self) -> None:
        """Move on by a step."""
        a, e, (g0, g1, g2, g3) = self.a, self.e, self.g.copy()
        self.g[0] = e * (g0 + a * (3 * g1 + a * (3 * g2 + a * g3)))
        self.g[1] = e * (g1 + a * (2 * g2 + a * g3))
        self.g[2] = e * (g2 + a * g3)
        self.g[3] = e * g3


class Cells:
    """V1 cells: `tau` ms of the membrane, `threshold` one or per cell, `clamp_steps` after a spike, `nmda` share of an event."""

    def __init__(self, v: np.ndarray, tau: float, threshold: np.ndarray | float, clamp_steps: int, nmda: float) -> None:
        size = len(v)
        self.v, self.leak, self.threshold = v.copy(), 1.0 / tau, np.broadcast_to(threshold, size)
        self.clamp_steps, self.nmda = clamp_steps, nmda
        self.ampa, self.gaba = Cubic(size, TAU_AMPA), Cubic(size, TAU_GABA)
        self.slow, self.rise = np.zeros(size), np.zeros(size)
        self.clamp = np.zeros(size, int)

    def voltages(self) -> None:
        """V of those that are not clamped, from V and the conductances of the step before."""
        g_ex, g_in = self.ampa.g[0] + (self.slow - self.rise), self.gaba.g[0]
        moved = self.v * math.exp(-DT * self.leak) + DT * (g_ex * (E_EX - self.v) + g_in * (E_IN - self.v))
        self.v = np.where(self.clamp > 0, self.v, moved)

    def conductances(self) -> None:
        """All conductances of the next step, but for what arrives, and the clamps."""
        self.ampa.evolve()
        self.gaba.evolve()
        self.slow *= math.exp(-DT / TAU_NMDA)
        self.rise *= math.exp(-DT / TAU_NMDA_RISE)
        self.clamp = np.maximum(self.clamp - 1, 0)

    def receive(self, ex: np.ndarray, ampa: np.ndarray, gaba: np.ndarray) -> None:
        """Add weights per cell: events shared by AMPA and NMDA, of AMPA alone, and of GABA (these as positive numbers)."""
        a, e = self.ampa.a, self.ampa.e
        third = e / (6 * TAU_AMPA)
        course = np.array([a**3 * third, a**2 * third, a * third, third])
        self.ampa.g += course[:, None] * ((1 - self.nmda) * ex + ampa)
        to_nmda = self.nmda * ex / (TAU_NMDA - TAU_NMDA_RISE)
        self.slow += to_nmda
        self.rise += to_nmda
        along = GABA_BEFORE / GABA_TAU_BEFORE
        third = math.exp(-along) / (6 * GABA_TAU_BEFORE) / (1 - GABA_LOSS)
        course = np.array([along**3 * third, along**2 * third, along * third, third])
        self.gaba.g += course[:, None] * gaba

    def fire(self) -> np.ndarray:
        """Cells over their threshold; they are reset and clamped."""
        fired = (self.clamp == 0) & (self.v >= self.threshold)
        self.v[fired] = 0.0
        self.clamp[fired] = self.clamp_steps
        return np.flatnonzero(fired)


def wave(turns: np.ndarray) -> np.ndarray:
    """h(sin r) at r = 2 pi `turns`: the sine while it falls, its signed root while it rises."""
    sine = np.sin(2 * np.pi * turns)
    falling = np.abs(turns % 1.0 - 0.5) < 0.25
    return np.where(falling, sine, np.sign(sine) * np.sqrt(np.abs(sine)))


def contrast_factor(cycles_per_degree: float) -> float:
    """m(SF)."""
    narrow, wide = (math.exp(-math.pi * (width * cycles_per_degree) ** 2) for width in (0.1584, 0.2232))
    return max(0.0, 0.95 / 0.3359 * (narrow - 0.74 * wide))


def lgn_turns(
    xy: np.ndarray, off: np.ndarray, theta: float, cycles_per_degree: float, hz: float, t_ms: float
) -> np.ndarray:
    """r / 2 pi of the grating at each LGN cell."""
    k = cycles_per_degree / UM_PER_DEGREE * np.array([math.cos(theta), math.sin(theta)])
    return hz * t_ms / 1000.0 + xy @ k + 0.5 * off


class Lgn:
    """LGN cells that integrate their current and shots."""

    def __init__(self, size: int) -> None:
        self.v = np.zeros(size)

    def step(self, current: np.ndarray, shots: np.ndarray, negative: np.ndarray) -> np.ndarray:
        """One step: what integrates, the sum of the shots and where they count negative; cells that spike."""
        self.v = self.v * math.exp(-LGN_LEAK * DT) + DT * current + np.where(negative, -shots, shots)
        fired = self.v > LGN_THRESHOLD
        self.v[fired] = 0.0
        return np.flatnonzero(fired)


@dataclass
class Edges:
    """Synapses of one projection, sorted by `pre`; `kind` is ex, ampa or gaba, weights are positive.

    `released(step, pre, post, weight)` yields delays in steps and weights of what one spike does to its targets.
    """

    source: str
    target: str
    kind: str
    pre: np.ndarray
    post: np.ndarray
    weight: np.ndarray
    released: Callable[..., list[tuple[np.ndarray, np.ndarray]]] = field(
        default=lambda step, pre, post, weight: [(np.ones(len(post), int), weight)]
    )


def simulate(
    cells: Mapping[str, Cells],
    edges: list[Edges],
    ambient: Mapping[tuple[str, str], np.ndarray],
    layer6: np.ndarray,
    lgn: Lgn,
    current: Callable[[int], np.ndarray],
    shots: tuple[np.ndarray, np.ndarray],
    steps: int,
) -> dict[str, list[tuple[int, int]]]:
    """Spikes (step, cell) of E, I and LGN cells.

    `ambient` : float [step, cell] by population and kind, weights that arrive in a step; `layer6` : int [spike, 2], step and
    cell; `current(step)` of the LGN cells; `shots` : float [step, cell], and bool, where they count negative.
    """
    longest = 32
    coming = {
        (name, kind): np.zeros((longest, len(c.v))) for name, c in cells.items() for kind in ("ex", "ampa", "gaba")
    }
    limits = [np.searchsorted(x.pre, np.arange(x.pre.max() + 2)) for x in edges]
    found: dict[str, list[tuple[int, int]]] = {"E": [], "I": [], "LGN": []}

    def arrive(step: int) -> None:
        for name, c in cells.items():
            at = [coming[name, kind][step % longest] for kind in ("ex", "ampa", "gaba")]
            given = [
                ambient[name, kind][step] if (name, kind) in ambient and step < steps else 0.0
                for kind in ("ex", "ampa")
            ]
            c.receive(at[0] + given[0], at[1] + given[1], at[2])
            for line in at:
                line[:] = 0.0

    def send(step: int, source: str, who: np.ndarray) -> None:
        for x, limit in zip(edges, limits):
            for pre in who if x.source == source else ():
                if pre + 1 < len(limit):
                    mine = slice(limit[pre], limit[pre + 1])
                    for delay, weight in x.released(step, int(pre), x.post[mine], x.weight[mine]):
                        np.add.at(coming[x.target, x.kind], ((step + delay) % longest, x.post[mine]), weight)

    arrive(0)
    for step in range(steps):
        for c in cells.values():
            c.voltages()
            c.conductances()
        fired = lgn.step(current(step), shots[0][step], shots[1][step])
        found["LGN"] += [(step, int(i)) for i in fired]
        send(step, "LGN", fired)
        send(step, "L6", layer6[layer6[:, 0] == step, 1])
        for name, c in cells.items():
            fired = c.fire()
            found[name] += [(step, int(i)) for i in fired]
            send(step, name, fired)
        arrive(step + 1)
    return found
