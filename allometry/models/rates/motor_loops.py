"""The design of motor motifs by rank-one loops: targets, modes, placement of eigenvalues, and a loop that prepares.

Times are in units of the time constant tau. Logiaco, Abbott & Escola 2021, Cell Reports 35:109090, and its public code.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.features.draws import generator, normal

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

DURATION, STEP = 30.0, 0.1
"""Duration of a motif and its time step, tau."""
DECAY, FREQUENCIES = 0.03, (0.05, 0.175, 0.3, 0.425, 0.55)
"""The modes of a motif: -DECAY +- i FREQUENCIES, 1/tau."""
RIDGE = 1e-3
CANDIDATES = 30
"""Random directions u of each motif, of which the one with the least noise is taken."""
NOISE = 0.05
"""White noise added to an initial state, relative to its size per unit."""
WORST_CONDITION = 1e8
MOST_ITERATIONS = 60
GRADIENT = 1e-3
"""Largest entry of the gradient of a preparation that has converged."""

_HARMONICS = 4
_UNSTABLE = 1e3


def modes() -> Complex:
    """Modes mu of a motif, in conjugate pairs: those of positive frequency first."""
    positive = -DECAY + 1j * np.array(FREQUENCIES)
    return np.concatenate([positive, positive.conj()])


def times() -> Floats:
    """Samples of a motif, tau."""
    return np.asarray(np.arange(round(DURATION / STEP) + 1) * STEP, np.float64)


def targets(count: int) -> Floats:
    """Smooth random functions of zero mean and unit root mean square, [motif, time]; the same for every network."""
    k = np.arange(1, _HARMONICS + 1)
    streams = [generator(0, "targets", motif) for motif in range(count)]
    amplitude = np.array([normal(rng, (_HARMONICS,)) for rng in streams]) / k
    phase = np.array([rng.uniform(0, 2 * np.pi, _HARMONICS) for rng in streams])
    found = np.einsum("mk,mkt->mt", amplitude, np.cos(np.pi * k[:, None] * times() / DURATION + phase[:, :, None]))
    found -= found.mean(axis=1, keepdims=True)
    return np.asarray(found / np.sqrt((found**2).mean(axis=1, keepdims=True)))


def amplitudes(target: Floats, ridge: float) -> tuple[Complex, float]:
    """Amplitudes of the modes whose sum comes nearest a target, and the root mean square of what is left.

    Parameters
    ----------
    target : ndarray [time]
        At `times()`.
    ridge : float
        Penalty on squared amplitudes, relative to the number of samples.
    """
    t, mu = times(), modes()[: len(FREQUENCIES)]
    waves = np.exp(t[:, None] * mu)
    basis = np.hstack([waves.real, waves.imag])
    found = np.linalg.solve(basis.T @ basis + ridge * len(t) * np.eye(basis.shape[1]), basis.T @ target)
    cosine, sine = np.split(found, 2)
    half = (cosine - 1j * sine) / 2
    return np.concatenate([half, half.conj()]), float(np.sqrt(np.mean((basis @ found - target) ** 2)))


@dataclass(frozen=True, eq=False)
class Cortex:
    """A random linear cortex in its eigenbasis.

    Parameters
    ----------
    weight : ndarray [unit, unit]
        J0.
    readout : ndarray [unit]
        w.
    values, right, left : complex ndarray
        Eigenvalues, right eigenvectors in columns and their inverse.
    """

    weight: Floats
    readout: Floats
    values: Complex
    right: Complex
    left: Complex

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.readout)


def random_cortex(seed: int, n: int) -> tuple[Floats, Floats]:
    """J0 of spectral radius 1 and the readout w, both normal with variance 1/N: [unit, unit] and [unit]."""
    rng = generator(seed, "cortex")
    return normal(rng, (n, n)) / np.sqrt(n), normal(rng, (n,)) / np.sqrt(n)


def cortex(seed: int, n: int) -> Cortex:
    """The random cortex of a seed."""
    weight, readout = random_cortex(seed, n)
    values, right = np.linalg.eig(weight)
    return Cortex(weight, readout, values, right, np.linalg.inv(right))


@dataclass(frozen=True, eq=False)
class Placement:
    """What places eigenvalues, whatever the direction u: d = P^+ 1 with P = 1 / (z - lambda), and the condition number of P."""

    wanted: Complex
    d: Complex
    condition: float


def placement(values: Complex, wanted: Complex) -> Placement:
    """Prepare the placement of eigenvalues of J0 + u v'.

    The new eigenvalues are the roots of sum over k of (L u)_k (v' R)_k / (z - lambda_k) = 1, J0 = R Lambda L.

    Parameters
    ----------
    values : complex ndarray [unit]
        Eigenvalues of J0.
    wanted : complex ndarray [mode]
        Wanted ones, closed under conjugation.

    Raises
    ------
    SimulationError
        The placement is ill-conditioned, or asks for more eigenvalues than there are units.
    """
    if len(wanted) > len(values):
        raise SimulationError(
            f"{len(wanted)} eigenvalues are to be placed in a network of {len(values)} units",
            where="thalamocortical_motifs",
            expected="at most one per unit",
            do="use more units",
        )
    p = 1.0 / (wanted[:, None] - values)
    condition = float(np.linalg.cond(p))
    if not condition < WORST_CONDITION:
        raise SimulationError(
            f"the placement of {len(wanted)} eigenvalues is ill-conditioned: condition number {condition:.2g}",
            where="thalamocortical_motifs",
            expected=f"a condition number below {WORST_CONDITION:g}",
            do="use more units, or another seed: the spectrum has too few eigenvalues near the wanted ones",
        )
    return Placement(wanted, np.linalg.pinv(p) @ np.ones(len(wanted)), condition)


def loop(cortex_: Cortex, placed: Placement, u: Floats) -> Floats:
    """The v of a loop u v' that places the eigenvalues, [unit]."""
    v = cortex_.left.T @ (placed.d / (cortex_.left @ u))
    if float(np.abs(v.imag).max()) > 1e-8 * float(np.abs(v).max()):
        raise SimulationError(
            "the placed loop is not real", where="thalamocortical_motifs", expected="eigenvalues in conjugate pairs"
        )
    return np.asarray(v.real)


def initial_state(cortex_: Cortex, placed: Placement, u: Floats, alpha: Complex) -> Floats:
    """The state from which the readout runs through sum of alpha_j exp(mu_j t), [unit].

    The eigenvector of J0 + u v' of a placed eigenvalue z is along (z - J0)^-1 u.
    """
    vectors = cortex_.right @ ((cortex_.left @ u)[:, None] / (placed.wanted - cortex_.values[:, None]))
    return np.asarray((vectors @ (alpha / (cortex_.readout @ vectors))).real)


def noise_gain(cortex_: Cortex, u: Floats, v: Floats) -> Floats:
    """Mean squared response of the readout over a motif to white noise of unit variance in the initial state, [candidate].

    (1/T) times the integral of |exp(A' t) w|^2, A = J0 + u v' - 1, by Runge and Kutta's rule for all candidates at once.

    Parameters
    ----------
    u, v : ndarray [unit, candidate]
    """

    def slope(y: Floats) -> Floats:
        return np.asarray(cortex_.weight.T @ y + v * (u * y).sum(axis=0) - y)

    y = np.repeat(cortex_.readout[:, None], u.shape[1], axis=1)
    steps = round(DURATION / STEP)
    total = np.zeros(u.shape[1])
    for step in range(steps + 1):
        total += (y * y).sum(axis=0) * (0.5 if step in (0, steps) else 1.0)
        a = slope(y)
        b = slope(y + STEP / 2 * a)
        c = slope(y + STEP / 2 * b)
        y = y + STEP / 6 * (a + 2 * b + 2 * c + slope(y + STEP * c))
    return total * STEP / DURATION


@dataclass(frozen=True, eq=False)
class Motifs:
    """Loops of all motifs.

    Parameters
    ----------
    u, v, start : ndarray [motif, unit]
        Loops, and the states that motifs begin with.
    left : ndarray [motif]
        Root mean square of the target that the modes leave.
    noise : ndarray [motif]
        Root mean square of the readout for `NOISE` in the initial state.
    noise_median : ndarray [motif]
        The same for the middle one of the candidates.
    condition : float
        Condition number of the placement.
    """

    u: Floats
    v: Floats
    start: Floats
    left: Floats
    noise: Floats
    noise_median: Floats
    condition: float


def design(cortex_: Cortex, count: int, seed: int, ridge: float = RIDGE) -> Motifs:
    """Loops for `count` motifs: of random directions u that whose readout is least disturbed by noise in the initial state.

    Parameters
    ----------
    cortex_ : Cortex
    count : int
        Number of motifs.
    seed : int
        Of the directions.
    ridge : float
        As `amplitudes` takes it.
    """
    placed = placement(cortex_.values, 1.0 + modes())
    rng = generator(seed, "loops")
    rows: list[tuple[Floats, Floats, Floats, float, float, float]] = []
    for target in targets(count):
        alpha, left = amplitudes(target, ridge)
        u = normal(rng, (cortex_.size, CANDIDATES))
        u /= np.sqrt((u * u).sum(axis=0))
        v = np.stack([loop(cortex_, placed, u[:, k]) for k in range(CANDIDATES)], axis=1)
        start = np.stack([initial_state(cortex_, placed, u[:, k], alpha) for k in range(CANDIDATES)], axis=1)
        gain = noise_gain(cortex_, u, v) * (start * start).sum(axis=0) / cortex_.size
        disturbed = NOISE * np.sqrt(gain)
        best = int(disturbed.argmin())
        rows.append((u[:, best], v[:, best], start[:, best], left, float(disturbed[best]), float(np.median(disturbed))))
    names = ("u", "v", "start", "left", "noise", "noise_median")
    columns = {name: np.array([row[k] for row in rows], np.float64) for k, name in enumerate(names)}
    return Motifs(**columns, condition=placed.condition)


@dataclass(frozen=True, eq=False)
class Preparation:
    """A loop U V that brings any state to a wanted one.

    Parameters
    ----------
    u : ndarray [unit, rank]
        Of columns of unit norm.
    v : ndarray [rank, unit]
        Of rows of unit norm.
    loss, loss_begin : float
        Mean over white initial states of the integral of |x|^2 / N, and that of the loop that the search began with.
    gradient : float
        Largest entry of its gradient at the end.
    iterations : int
        Of the search.
    """

    u: Floats
    v: Floats
    loss: float
    loss_begin: float
    gradient: float
    iterations: int


def preparation_loss(generator_: Floats) -> float:
    """Mean over white initial states of the integral of |x|^2 / N under dx/dt = A x; of an unstable A a large number."""
    from scipy.linalg import solve_continuous_lyapunov

    unstable = float(np.linalg.eigvals(generator_).real.max())
    if unstable >= 0:
        return _UNSTABLE * (1.0 + unstable)
    return float(np.trace(solve_continuous_lyapunov(generator_, -np.eye(len(generator_)))) / len(generator_))


def prepare(weight: Floats, rank: int) -> Preparation:
    """Find the loop of a rank that brings the cortex to rest soonest, from the Schur vectors of its slowest modes.

    Parameters
    ----------
    weight : ndarray [unit, unit]
        J0.
    rank : int
        Rank of the loop.

    Raises
    ------
    SimulationError
        The rank is above the number of units.
    """
    from scipy.optimize import minimize

    n = len(weight)
    if not 1 <= rank <= n:
        raise SimulationError(
            f"preparation_rank is {rank}", where="thalamocortical_motifs", expected=f"1 to {n}, the number of units"
        )
    begin = _slowest(weight, rank)
    first = np.concatenate([begin.ravel(), -begin.T.ravel()])
    found = minimize(
        _loss_and_gradient, first, (weight, rank), "L-BFGS-B", jac=True, options={"maxiter": MOST_ITERATIONS}
    )
    u, v = _unit_loop(found.x, n, rank)
    loss, gradient = _loss_and_gradient(found.x, weight, rank)
    begun, _ = _loss_and_gradient(first, weight, rank)
    return Preparation(u, v, loss, begun, float(np.abs(gradient).max()), int(found.nit))


def _slowest(weight: Floats, rank: int) -> Floats:
    """Real Schur vectors of at least `rank` eigenvalues of largest real part, [unit, rank]."""
    from scipy.linalg import schur

    real = np.sort(np.linalg.eigvals(weight).real)[::-1]
    limit = real[rank - 1] - 1e-9 * abs(real[0])
    _, vectors, _ = schur(weight, output="real", sort=lambda x, y=0.0: x >= limit)
    return np.asarray(vectors[:, :rank])


def _unit_loop(x: Floats, n: int, rank: int) -> tuple[Floats, Floats]:
    u, v = x[: n * rank].reshape(n, rank), x[n * rank :].reshape(rank, n)
    return u / np.sqrt((u * u).sum(axis=0)), v / np.sqrt((v * v).sum(axis=1))[:, None]


def _loss_and_gradient(x: Floats, weight: Floats, rank: int) -> tuple[float, Floats]:
    from scipy.linalg import solve_continuous_lyapunov

    n = len(weight)
    u, v = _unit_loop(x, n, rank)
    a = weight + u @ v - np.eye(n)
    loss = preparation_loss(a)
    if loss >= _UNSTABLE:
        return loss, np.zeros_like(x)
    one = -np.eye(n)
    of_a = 2.0 * solve_continuous_lyapunov(a.T, one) @ solve_continuous_lyapunov(a, one) / n
    of_u, of_v = of_a @ v.T, u.T @ of_a
    # columns and rows are divided by their norms: what lies along them changes nothing
    raw_u, raw_v = x[: n * rank].reshape(n, rank), x[n * rank :].reshape(rank, n)
    of_u = (of_u - u * (u * of_u).sum(axis=0)) / np.sqrt((raw_u * raw_u).sum(axis=0))
    of_v = (of_v - v * (v * of_v).sum(axis=1)[:, None]) / np.sqrt((raw_v * raw_v).sum(axis=1))[:, None]
    return loss, np.concatenate([of_u.ravel(), of_v.ravel()])


def decay_time(generator_: Floats, share: float, step: float = 0.05, longest: float = 60.0) -> float:
    """Time until the root mean square of a white initial state has fallen to a share, tau; NaN where it does not.

    Parameters
    ----------
    generator_ : ndarray [unit, unit]
        A of dx/dt = A x.
    share : float
        Of the root mean square at the beginning.
    step, longest : float
        Resolution, and when to give up, tau.
    """
    from scipy.linalg import expm

    one, whole = expm(generator_ * step), np.eye(len(generator_))
    for k in range(1, round(longest / step) + 1):
        whole = one @ whole
        if np.sqrt((whole * whole).sum() / len(whole)) <= share:
            return k * step
    return float("nan")
