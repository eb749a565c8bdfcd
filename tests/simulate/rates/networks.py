"""Networks of rate units with a bit of everything, and the same in plain numpy."""

from dataclasses import dataclass

import numpy as np

from allometry.network import (
    DCInput,
    Dense,
    ExplicitEdges,
    LowRank,
    Network,
    PatternInput,
    Piecewise,
    Population,
    Projection,
    ProjectionGain,
    RateUnit,
    Readout,
    Sampled,
    StateReset,
)

DT, STEPS = 1.0, 130


@dataclass
class Parts:
    """Arrays of the network `everything`."""

    dense: np.ndarray
    m: np.ndarray
    n: np.ndarray
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    pattern: np.ndarray
    signal: np.ndarray
    read: np.ndarray
    start: np.ndarray
    reset: np.ndarray


def parts(size: int = 150, other: int = 70) -> Parts:
    rng = np.random.default_rng(size)
    return Parts(
        dense=rng.normal(size=(size, size)) / np.sqrt(size) * 0.8,
        m=rng.normal(size=(size, 3)),
        n=rng.normal(size=(other, 3)) / other,
        source=rng.integers(0, size, 300),
        target=rng.integers(0, other, 300),
        weight=rng.normal(size=300) * 0.3,
        pattern=rng.normal(size=(size, 2)),
        signal=rng.normal(size=(40, 2)),
        read=rng.normal(size=(size, 2)),
        start=rng.normal(size=size),
        reset=rng.normal(size=size),
    )


def everything(
    nonlinearity: str = "tanh", integration: str = "euler", noise: float = 0.0, size: int = 150, other: int = 70
) -> Network:
    """Two populations, all kinds of projections, inputs, gains and resets."""
    p = parts(size, other)
    return Network(
        populations=(
            Population("A", size, RateUnit(20.0, nonlinearity, noise, integration), p.start),
            Population("B", other, RateUnit(np.linspace(10.0, 30.0, other), nonlinearity, 0.0, integration)),
        ),
        projections=(
            Projection("A", "A", Dense(p.dense), name="dense"),
            Projection("B", "A", LowRank(p.m, p.n), name="loop"),
            Projection("A", "B", ExplicitEdges(p.source, p.target, p.weight)),
        ),
        inputs=(
            PatternInput("A", p.pattern, Sampled(p.signal, 2.0, start_ms=5.0), name="seen"),
            DCInput("A", 0.3, start_ms=10.0, stop_ms=40.0),
            DCInput("B", Piecewise([0.0, 50.0], [[0.1] * other, [-0.2] * other])),
            StateReset("A", [60.0], p.reset, name="reset"),
            ProjectionGain("loop", Piecewise([0.0, 30.0], [[1.0, 0.5, 0.0], [0.0, 1.0, 1.0]]), name="loops"),
            ProjectionGain("dense", Piecewise([0.0, 100.0], [1.0, 0.0])),
        ),
        dt_ms=DT,
        readouts=(Readout("y", "A", p.read), Readout("state", "A", p.read[:, 0], "x")),
        title="a bit of everything",
    )


def inputs_at(p: Parts, other: int, step: int) -> np.ndarray:
    """Input into all units in a step, float64 [unit]."""
    t = step * DT
    size = len(p.pattern)
    u = np.zeros(size + other)
    at = int((t - 5) // 2)
    if t >= 5 and at < len(p.signal):
        u[:size] += p.pattern @ p.signal[at]
    if 10 <= t < 40:
        u[:size] += 0.3
    u[size:] += 0.1 if t < 50 else -0.2
    return u


def weights_at(p: Parts, other: int, step: int) -> np.ndarray:
    """All weights in a step, float64 [target, source]."""
    size, t = len(p.pattern), step * DT
    w = np.zeros((size + other, size + other))
    w[:size, :size] = p.dense * (t < 100)
    gains = np.array([1.0, 0.5, 0.0] if t < 30 else [0.0, 1.0, 1.0])
    w[:size, size:] = (p.m * gains) @ p.n.T
    np.add.at(w[size:, :size], (p.target, p.source), p.weight)
    return w
