"""Refusal of impossible projections before anything is built: rules, positions, weights, delays and plasticity."""

import math
from typing import Any

import numpy as np

from allometry.network import (
    STDP,
    BoxKernel,
    Constant,
    DistanceDependent,
    ExplicitEdges,
    ExponentialKernel,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    Gate,
    GaussianKernel,
    Grid,
    Lognormal,
    Network,
    Normal,
    OneToOne,
    PairwiseBernoulli,
    Population,
    Projection,
    RoundedGaussian,
    ShortTermPlasticity,
    Space,
    Uniform,
    UniformPositions,
)
from allometry.simulate.build.checks import finite, indices, known, real, require, whole
from allometry.simulate.build.timing import delay_steps

MAX_SPREAD = 1e6
_DRAWN = FixedTotalNumber | OneToOne | FixedIndegree | FixedOutdegree | PairwiseBernoulli | DistanceDependent


def check_space(net: Network) -> None:
    """Check the space of a network and the positions in it."""
    space = net.space
    if space is not None:
        require(isinstance(space, Space), f"the space is a {type(space).__name__}", "network", "a Space")
        for name in ("width", "height", "left", "bottom"):
            finite(real(getattr(space, name), name, "space"), name, "space")
        for name in ("width", "height"):
            require(getattr(space, name) > 0, f"{name} is {getattr(space, name):g}", "space", "a positive length")
    for p in net.populations:
        if p.positions is not None:
            _check_positions(space, p)


def _check_positions(space: Space | None, p: Population) -> None:
    where = f"population {p.name}"
    if space is None:
        require(False, "positions are given, but the network has no space", where, "Network(space=Space(...))")
        return
    if isinstance(p.positions, UniformPositions):
        return
    if isinstance(p.positions, Grid):
        columns = whole(p.positions.columns, "columns", where)
        rows = columns if p.positions.rows is None else whole(p.positions.rows, "rows", where)
        sites = columns * rows if columns > 0 and rows > 0 else 0
        require(sites >= p.size, f"a grid of {columns} x {rows} sites for {p.size} neurons", where, "a site for each")
        offset = real(p.positions.offset, "offset", where)
        require(0 <= offset < 1, f"the offset of the grid is {offset:g}", where, "0 <= offset < 1")
        return
    xy = np.asarray(p.positions)
    require(xy.shape == (p.size, 2), f"positions have shape {xy.shape}", where, f"({p.size}, 2): x and y per neuron")
    finite(xy, "a position", where)
    corner, sides = np.array([space.left, space.bottom]), np.array([space.width, space.height])
    outside = ((xy < corner) | (xy >= corner + sides)).any(axis=1)
    require(
        not outside.any(),
        f"{int(outside.sum())} neurons are outside the space, the first: {int(np.argmax(outside))}",
        where,
        f"x in [{space.left:g}, {space.left + space.width:g}), y in [{space.bottom:g}, {space.bottom + space.height:g})",
        "move them, or widen the space",
    )


def check_projection(net: Network, projection: Projection, number: int) -> None:
    """Check projection `number`: its populations, rule, weights and delays."""
    where = f"projection {number} ({projection.source} -> {projection.target})"
    source, target = known(net, projection.source, where), known(net, projection.target, where)
    rule = projection.rule
    if isinstance(rule, ExplicitEdges):
        require(
            projection.weight is None and projection.delay is None,
            "weight and delay are given twice",
            where,
            "None beside ExplicitEdges",
        )
        lengths = {rule.source.size, rule.target.size, rule.weight.size, rule.delay.size}
        require(len(lengths) == 1, "source, target, weight and delay differ in length", where)
        indices(rule.source, source.size, "source", where)
        indices(rule.target, target.size, "target", where)
        finite(rule.weight, "weight", where)
        if rule.delay.size:
            delay_steps(rule.delay, net.dt_ms, where)
        _check_plasticity(projection, where)
        check_release(net, projection, where)
        return
    require(isinstance(rule, _DRAWN), f"{type(rule).__name__} is not a connection rule", where)
    _check_rule(rule, projection.source == projection.target, source, target, where)
    if getattr(rule, "kernel", None) is not None:
        _check_kernel(net, rule, source, target, where)
    _check_weight(projection.weight, where)
    check_delay(projection.delay, net.dt_ms, where)
    _check_plasticity(projection, where)
    check_release(net, projection, where)


def _check_rule(rule: Any, same: bool, source: Population, target: Population, where: str) -> None:
    if isinstance(rule, FixedTotalNumber | FixedIndegree | FixedOutdegree):
        require(whole(rule.n, "n", where) >= 0, f"n is {rule.n}", where, "n >= 0")
    if isinstance(rule, FixedIndegree | FixedOutdegree):
        outward = isinstance(rule, FixedOutdegree)
        other = target if outward else source
        pool = other.size - (1 if same and not rule.autapses else 0)
        require(
            pool > 0 or rule.n == 0,
            f"one neuron has no other neuron to {'send output to' if outward else 'receive input from'}",
            where,
        )
        require(
            rule.multapses or rule.n <= pool,
            f"{rule.n} different {'targets' if outward else 'sources'} are asked for per neuron, of {pool}",
            where,
            f"n of at most {pool} without multapses",
            "lower n, or allow multapses",
        )
        require(
            rule.multapses or rule.kernel is None,
            "a kernel draws with replacement only",
            where,
            "multapses=True with a kernel",
            "allow multapses, or use DistanceDependent, which connects a pair at most once",
        )
    elif isinstance(rule, OneToOne):
        require(
            source.size == target.size,
            f"{source.size} sources cannot be joined to {target.size} targets one to one",
            where,
            "populations of one size",
        )
    elif isinstance(rule, PairwiseBernoulli):
        require(
            0 <= real(rule.p, "connection probability", where) <= 1,
            f"connection probability is {rule.p}",
            where,
            "0 <= p <= 1",
        )
    elif isinstance(rule, DistanceDependent):
        require(
            (rule.p is None) != (rule.indegree is None),
            "the peak probability and the expected in-degree are both given"
            if rule.p is not None
            else "neither the peak probability nor the expected in-degree is given",
            where,
            "either p or indegree",
        )
        name = "p" if rule.indegree is None else "indegree"
        value = rule.p if rule.indegree is None else rule.indegree
        if not isinstance(value, np.ndarray):
            value = np.asarray(real(value, name, where))
        require(
            value.shape in ((), (target.size,)),
            f"{name} has shape {value.shape}",
            where,
            f"one number, or {target.size}: one per target",
        )
        finite(value, name, where)
        require(bool((value >= 0).all()), f"{name} is negative", where, f"{name} >= 0")
        _check_tails(rule, target, where)


def _check_tails(rule: DistanceDependent, target: Population, where: str) -> None:
    tails = real(rule.redrawn_tails, "redrawn_tails", where)
    require(0 <= tails <= 0.5, f"redrawn_tails is {tails:g}", where, "a share of the targets, 0 to 0.5")
    require(
        not rule.clipped or rule.indegree is not None, "clipped without indegree", where, "indegree, or no clipping"
    )
    if rule.classes is not None:
        right = rule.classes.shape == (target.size,) and bool((rule.classes >= 0).all())
        require(
            right, f"classes of shape {rule.classes.shape}", where, f"{target.size} numbers from 0 on: one per target"
        )


def check_release(net: Network, projection: Projection, where: str) -> None:
    """Check what is drawn for every spike, and weights by in-degree."""
    wrong = sorted(set(projection.redrawn) - {"weight", "delay"})
    require(not wrong, f"{', '.join(map(repr, wrong))} cannot be redrawn", where, '"weight", "delay" or both')
    gated = any(isinstance(x, Gate) and x.population == projection.source for x in net.inputs)
    rule = projection.rule
    require(
        projection.plasticity is None or not (gated or projection.redrawn),
        "a plastic projection has a gate, or draws anew for every spike",
        where,
        "static synapses, or neither",
    )
    if isinstance(rule, ExplicitEdges):
        require(not projection.redrawn, "listed weights and delays cannot be redrawn", where, "another rule")
        alike = not gated or len(np.unique(rule.delay)) <= 1
        require(alike, "listed edges of a source with a gate differ in delay", where, "one delay per projection")
    if projection.repeat_delay is not None:
        require(
            gated, "repeat_delay without a gate of the source", where, f"a Gate of {projection.source} among the inputs"
        )
        check_delay(projection.repeat_delay, net.dt_ms, where)
    if projection.indegree_norm is not None:
        size = net.population(projection.target).size
        norm = projection.indegree_norm
        require(
            isinstance(rule, DistanceDependent), "indegree_norm without DistanceDependent", where, "DistanceDependent"
        )
        require(norm.shape == (size,), f"indegree_norm has shape {norm.shape}", where, f"{size}: one per target")
        finite(norm, "indegree_norm", where)
        require(bool((norm >= 0).all()), "indegree_norm is negative", where, "indegree_norm >= 0")


def _check_kernel(net: Network, rule: Any, source: Population, target: Population, where: str) -> None:
    kernel = rule.kernel
    known_kernel = isinstance(kernel, GaussianKernel | ExponentialKernel | BoxKernel | RoundedGaussian)
    require(
        known_kernel,
        f"the kernel is a {type(kernel).__name__}",
        where,
        "GaussianKernel, ExponentialKernel, BoxKernel or RoundedGaussian",
    )
    for name, value in vars(kernel).items():
        if name != "wrapped":
            require(real(value, name, where) > 0, f"{name} of the kernel is {value:g}", where, "a positive length")
    for p in (source, target):
        require(
            p.positions is not None,
            f"population {p.name} has no positions, which a kernel needs",
            where,
            "positions of source and target",
            "give Population(positions=...) and Network(space=...)",
        )
    space = net.space
    if space is None:
        return
    if isinstance(kernel, RoundedGaussian):
        _check_rounded(space, rule, source is target, target, where)
        limit = 10 * min(space.width, space.height)
        require(
            kernel.sigma <= limit,
            f"sigma {kernel.sigma:g} is far above the extent of the space",
            where,
            f"at most {limit:g}",
        )
    if getattr(kernel, "wrapped", False):
        require(space.periodic, "a wrapped kernel needs a periodic space", where, "Space(periodic=True)")
        require(math.isinf(kernel.cutoff), "a wrapped kernel has no cutoff", where, "cutoff left out")
        limit = 10 * min(space.width, space.height)
        require(
            kernel.sigma <= limit,
            f"sigma {kernel.sigma:g} is far above the extent of the space",
            where,
            f"at most {limit:g}",
        )


def _check_rounded(space: Space, rule: Any, same: bool, target: Population, where: str) -> None:
    require(
        isinstance(rule, FixedOutdegree),
        f"RoundedGaussian in {type(rule).__name__}",
        where,
        "RoundedGaussian in FixedOutdegree",
    )
    require(
        rule.autapses or not same, "RoundedGaussian without autapses", where, "autapses=True: a displacement may be 0"
    )
    require(space.periodic, "RoundedGaussian needs a periodic space", where, "Space(periodic=True)")
    grid = target.positions
    sites = grid.columns * (grid.columns if grid.rows is None else grid.rows) if isinstance(grid, Grid) else 0
    require(
        sites == target.size,
        f"the {target.size} neurons of {target.name} do not fill a lattice",
        where,
        "positions: a Grid with one neuron on every site",
    )


def _check_weight(weight: Any, where: str) -> None:
    require(
        isinstance(weight, Constant | Normal | Lognormal | Uniform),
        "no weight is given" if weight is None else f"a weight cannot be {type(weight).__name__}",
        where,
        "a number, Normal, Lognormal or Uniform",
    )
    for value in vars(weight).values():
        finite(real(value, "weight", where), "weight", where)
    if isinstance(weight, Uniform):
        _check_uniform(weight, "weight", where)
    elif not isinstance(weight, Constant):
        require(weight.sd >= 0, f"the weight's standard deviation is {weight.sd:g}", where, "sd >= 0")
        require(
            weight.mean != 0, "the mean weight is 0, so that its sign is not defined", where, "a mean that is not 0"
        )
        require(
            weight.sd <= MAX_SPREAD * abs(weight.mean),
            f"the weight's standard deviation of {weight.sd:g} is out of proportion to its mean of {weight.mean:g}",
            where,
            f"at most {MAX_SPREAD:g} times the mean",
        )


def _check_uniform(uniform: Uniform, name: str, where: str) -> None:
    require(
        uniform.low <= uniform.high,
        f"the {name} is uniform from {uniform.low:g} to {uniform.high:g}",
        where,
        "low <= high",
    )


def check_delay(delay: Any, dt: float, where: str) -> None:
    """Check a delay, a number or a distribution."""
    require(
        isinstance(delay, Constant | Normal | Lognormal | Uniform),
        "no delay is given" if delay is None else f"a delay cannot be {type(delay).__name__}",
        where,
        "a number, Normal, Lognormal or Uniform, ms",
    )
    for value in vars(delay).values():
        finite(real(value, "delay", where), "delay", where)
    if isinstance(delay, Constant):
        delay_steps(np.array([delay.value]), dt, where)
        return
    longest = 65535 * dt
    if isinstance(delay, Uniform):
        _check_uniform(delay, "delay", where)
        require(
            delay.low >= dt / 2 * (1 - 1e-9),
            f"the delay is uniform from {delay.low:g} ms, which rounds to less than one step",
            where,
            f"from dt / 2 = {dt / 2:g} ms on",
            "lengthen the delays or shorten dt_ms",
        )
        require(delay.high <= longest, "delays exceed 65535 steps", where)
        return
    require(delay.mean >= dt * (1 - 1e-9), f"the mean delay is {delay.mean:g} ms", where, f"at least dt = {dt:g} ms")
    require(delay.sd >= 0, f"the delay's standard deviation is {delay.sd:g}", where, "sd >= 0")
    if isinstance(delay, Normal):
        require(delay.mean + 5 * delay.sd <= longest, "delays exceed 65535 steps", where)
    else:
        require(
            delay.sd <= MAX_SPREAD * delay.mean,
            f"the delay's standard deviation of {delay.sd:g} ms is out of proportion to its mean of {delay.mean:g} ms",
            where,
        )


def _check_plasticity(projection: Projection, where: str) -> None:
    """Check the parameters of a projection's plasticity, and that its weights are within their bounds."""
    p = projection.plasticity
    if p is None:
        return
    require(
        isinstance(p, ShortTermPlasticity | STDP),
        f"a {type(p).__name__} is no plasticity",
        where,
        "ShortTermPlasticity or STDP",
    )
    positive = {"tau_rec", "tau_plus", "tau_minus", "Wmax", "U"}
    for name, given in vars(p).items():
        value = real(given, name, where)
        ok = math.isfinite(value) and (value > 0 if name in positive else value >= 0)
        require(ok, f"{name} is {value:g}", where, f"{name} {'> 0' if name in positive else '>= 0'}")
    if isinstance(p, ShortTermPlasticity):
        require(p.U <= 1, f"U is {p.U:g}", where, "0 < U <= 1")
        return
    for value in _bounds(projection):
        require(
            0 <= value <= p.Wmax, f"a weight of {value:g} is outside [0, Wmax]", where, f"weights from 0 to {p.Wmax:g}"
        )


def _bounds(projection: Projection) -> list[float]:
    """Return the smallest and largest weight; of a distribution with tails its mean."""
    weight = projection.weight
    if isinstance(projection.rule, ExplicitEdges):
        given = projection.rule.weight
        return [float(np.min(given)), float(np.max(given))] if given.size else []
    if isinstance(weight, Uniform):
        return [weight.low, weight.high]
    return [weight.value if isinstance(weight, Constant) else weight.mean]
