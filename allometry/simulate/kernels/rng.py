"""Counter-based random numbers: every draw is a function of (seed, purpose, id, index), never of a stream's state.

A network cut differently, or restarted, therefore draws the same numbers. Only + - x / and exact functions (frexp,
ldexp, sqrt, floor) are used, so that another CPU or libm gives the same bits.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import math
from enum import IntEnum

import numpy as np
from numba import njit, uint64

from allometry.simulate.kernels.compiled import compiled

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_LN2 = 0.6931471805599453
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10


class Purpose(IntEnum):
    """What a draw is for: the second part of its key."""

    INDEGREE = 1
    SYNAPSE = 2
    INITIAL_V = 3
    POISSON = 4
    PARAMETER = 5
    POSITION = 6
    RELEASE = 7
    GATE = 8
    RHYTHM = 9
    NOISE = 10


@njit(inline="always")
def mix(x):
    """Return the splitmix64 finaliser of a uint64: a bijection whose output passes for random."""
    x = uint64(x)
    x ^= x >> uint64(30)
    x *= _M1
    x ^= x >> uint64(27)
    x *= _M2
    x ^= x >> uint64(31)
    return x


@njit(inline="always")
def draw(key, index):
    """Return 64 random bits number `index` of `key`."""
    return mix(uint64(key) + uint64(index) * GOLDEN)


def _mix_int(x: int) -> int:
    mask = (1 << 64) - 1
    x &= mask
    x ^= x >> 30
    x = x * int(_M1) & mask
    x ^= x >> 27
    x = x * int(_M2) & mask
    return x ^ (x >> 31)


def key(seed: int, purpose: Purpose, number: int) -> np.uint64:
    """Return the key of the draws for `purpose` of object `number` (projection, input, population)."""
    golden = int(GOLDEN)
    x = _mix_int(int(seed) + golden)
    x = _mix_int(x + int(purpose) * golden)
    return np.uint64(_mix_int(x + (int(number) + 1) * golden))


@njit(inline="always")
def uniform(bits):
    """Return 64 random bits as a float64 in (0, 1): the midpoint of one of 2^53 cells, rounded to nearest even.

    The last midpoint would round to 1, of which neither the logarithm of 1 - u nor the normal quantile exists.
    """
    return min((float(uint64(bits) >> uint64(11)) + 0.5) * (1.0 / 9007199254740992.0), 0.9999999999999999)


@compiled
def ln(x):
    """Return the natural logarithm of x > 0 (relative error below 1e-15)."""
    m, e = math.frexp(x)
    if m < 0.7071067811865476:
        m *= 2.0
        e -= 1
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 1.0 / 23.0
    for k in range(21, 0, -2):
        p = p * z + 1.0 / k
    return e * _LN2_HIGH + (2.0 * s * p + e * _LN2_LOW)


@compiled
def exp(x):
    """Return the exponential of x (relative error below 1e-15; 0 below -700)."""
    if x < -700.0:
        return 0.0
    n = math.floor(x / _LN2 + 0.5)
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = 1.0
    for k in range(16, 0, -1):
        p = 1.0 + p * r / k
    return math.ldexp(p, int(n))


@compiled
def normal_quantile(u):
    """Return the quantile of the standard normal distribution at 0 < u < 1 (Wichura 1988, AS 241, PPND16)."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        num = (
            (
                (
                    (
                        ((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                        + 45921.953931549871457
                    )
                    * r
                    + 13731.693765509461125
                )
                * r
                + 1971.5909503065514427
            )
            * r
            + 133.14166789178437745
        ) * r + 3.387132872796366608
        den = (
            (
                (
                    (
                        ((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
                        + 21213.794301586595867
                    )
                    * r
                    + 5394.1960214247511077
                )
                * r
                + 687.1870074920579083
            )
            * r
            + 42.313330701600911252
        ) * r + 1.0
        return q * num / den
    r = math.sqrt(-ln(u if q < 0.0 else 1.0 - u))
    if r <= 5.0:
        r -= 1.6
        num = (
            (
                (
                    (
                        ((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
                        + 1.27045825245236838258
                    )
                    * r
                    + 3.64784832476320460504
                )
                * r
                + 5.7694972214606914055
            )
            * r
            + 4.6303378461565452959
        ) * r + 1.42343711074968357734
        den = (
            (
                (
                    (
                        ((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
                        + 0.14810397642748007459
                    )
                    * r
                    + 0.68976733498510000455
                )
                * r
                + 1.6763848301838038494
            )
            * r
            + 2.05319162663775882187
        ) * r + 1.0
    else:
        r -= 5.0
        num = (
            (
                (
                    (
                        ((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
                        + 0.026532189526576123093
                    )
                    * r
                    + 0.29656057182850489123
                )
                * r
                + 1.7848265399172913358
            )
            * r
            + 5.4637849111641143699
        ) * r + 6.6579046435011037772
        den = (
            (
                (
                    (
                        ((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
                        + 7.868691311456132591e-4
                    )
                    * r
                    + 0.0148753612908506148525
                )
                * r
                + 0.13692988092273580531
            )
            * r
            + 0.59983220655588793769
        ) * r + 1.0
    z = num / den
    return -z if q < 0.0 else z


@compiled
def normal_cdf(x):
    """Return the standard normal distribution function, as the inverse of `normal_quantile` by bisection."""
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        if middle <= 0.0 or middle >= 1.0:
            break
        if normal_quantile(middle) < x:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@compiled
def _stirling(k):
    """Return ln k! minus Stirling's formula (k + 1/2) ln(k + 1) - (k + 1) + ln(2 pi) / 2."""
    if k == 0.0:
        return 0.08106146679532726
    if k == 1.0:
        return 0.04134069595540929
    if k == 2.0:
        return 0.02767792568499834
    if k == 3.0:
        return 0.02079067210376509
    if k == 4.0:
        return 0.01664469118982119
    if k == 5.0:
        return 0.01387612882307075
    if k == 6.0:
        return 0.01189670994589177
    if k == 7.0:
        return 0.01041126526197210
    if k == 8.0:
        return 0.009255462182712733
    if k == 9.0:
        return 0.008330563433362871
    n = k + 1.0
    nn = n * n
    return (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / nn) / nn) / n


@compiled
def binomial(n, p, node_key):
    """Return one draw of Binomial(n, p) from the draws of `node_key`.

    Inversion where n p < 10, else the transformed rejection of Hörmann (J Stat Comput Simul 46:101, 1993), "BTRS".
    """
    if n <= 0 or p <= 0.0:
        return 0
    if p >= 1.0:
        return n
    flip = p > 0.5
    q = 1.0 - p if flip else p
    index = 0
    k = 0.0
    if n * q < 10.0:
        ratio = q / (1.0 - q)
        mass = exp(n * (ln(1.0 - q)))
        u = uniform(draw(node_key, index))
        while u > mass and k < n:
            u -= mass
            mass *= ratio * (n - k) / (k + 1.0)
            k += 1.0
        return n - int(k) if flip else int(k)
    spread = math.sqrt(n * q * (1.0 - q))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * q
    c = n * q + 0.5
    v_r = 0.92 - 4.2 / b
    r = q / (1.0 - q)
    alpha = (2.83 + 5.1 / b) * spread
    m = math.floor((n + 1.0) * q)
    while True:
        u = uniform(draw(node_key, index)) - 0.5
        v = uniform(draw(node_key, index + 1))
        index += 2
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + c)
        if us >= 0.07 and v <= v_r:
            break
        if k < 0.0 or k > n:
            continue
        bound = (
            (m + 0.5) * ln((m + 1.0) / (r * (n - m + 1.0)))
            + (n + 1.0) * ln((n - m + 1.0) / (n - k + 1.0))
            + (k + 0.5) * ln(r * (n - k + 1.0) / (k + 1.0))
            + (_stirling(m) + _stirling(n - m) - _stirling(k) - _stirling(n - k))
        )
        if ln(v * alpha / (a / (us * us) + b)) <= bound:
            break
    return n - int(k) if flip else int(k)


@njit(cache=True, nogil=True)
def multinomial_indegrees(total, size, low, high, projection_key, out):
    """Write the in-degrees of targets [low, high) when `total` synapses fall on `size` targets uniformly.

    Recursive binomial splitting: the node of a binary tree over [0, size) splits its synapses between its halves by
    a draw keyed by the node, so that any range of targets gets the same in-degrees without visiting the others.
    """
    nodes = np.empty(128, np.uint64)
    bounds = np.empty((128, 3), np.int64)
    nodes[0] = uint64(1)
    bounds[0, 0], bounds[0, 1], bounds[0, 2] = 0, size, total
    depth = 1
    while depth > 0:
        depth -= 1
        node, a, b, count = nodes[depth], bounds[depth, 0], bounds[depth, 1], bounds[depth, 2]
        if b <= low or a >= high:
            continue
        if b - a == 1:
            out[a - low] = count
            continue
        middle = (a + b) // 2
        left = binomial(count, (middle - a) / (b - a), draw(projection_key, node))
        nodes[depth] = node * uint64(2)
        bounds[depth, 0], bounds[depth, 1], bounds[depth, 2] = a, middle, left
        nodes[depth + 1] = node * uint64(2) + uint64(1)
        bounds[depth + 1, 0], bounds[depth + 1, 1], bounds[depth + 1, 2] = middle, b, count - left
        depth += 2


@njit(cache=True, nogil=True)
def normal_table(size, low):
    """Return `size` equiprobable quantiles of the standard normal distribution truncated below at `low`."""
    out = np.empty(size, np.float64)
    floor = normal_cdf(low) if low > -9.0 else 0.0
    for i in range(size):
        out[i] = normal_quantile(floor + (i + 0.5) / size * (1.0 - floor))
    return out


@compiled
def upper_normal_table(size, share):
    """Return `size` equiprobable quantiles of the largest `share` of the standard normal distribution, ascending."""
    out = np.empty(size, np.float64)
    for i in range(size):
        # By symmetry: probabilities near 1 have too few digits.
        out[size - 1 - i] = -normal_quantile((i + 0.5) / size * share)
    return out


@compiled
def lognormal_values(z, mu, sigma):
    """Return exp(mu + sigma z), the quantiles of a lognormal distribution from those of the normal one."""
    out = np.empty(len(z), np.float64)
    for i in range(len(z)):
        out[i] = exp(mu + sigma * z[i])
    return out


@compiled
def normal_draws(stream, low, mean, sd, out):
    """Fill `out` with normal deviates number `low`, `low + 1`, ... of the key `stream`."""
    for i in range(len(out)):
        out[i] = mean + sd * normal_quantile(uniform(draw(stream, low + i)))


@compiled
def uniform_draws(stream, low, start, width, out):
    """Fill `out` with uniform deviates in [start, start + width), number `low`, `low + 1`, ... of the key `stream`."""
    for i in range(len(out)):
        out[i] = start + width * uniform(draw(stream, low + i))
