"""Similarity of two representations of the same stimuli: CCA (SVCCA, PWCCA), CKA, Procrustes, RV.

All centre every unit over stimuli. Invariances: CCA to invertible linear maps of each side, SVCCA to orthogonal ones (its
truncation sees scale), PWCCA to invertible maps of y alone (its weights are sums over the single units of x, which a rotation
mixes); CKA, RV and Procrustes to orthogonal maps and a common scale.
"""

import warnings
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, matrix, same_rows, self_product, varying_columns
from allometry.compare.inference.blockwise import BLOCK_BYTES, Estimate, afford, axis_blocks, fitting, is_lazy
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import whole
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import inner, norm


def _pair(x: npt.ArrayLike, y: npt.ArrayLike, rows: int = 3) -> tuple[FloatArray, FloatArray]:
    a, b = matrix(x, "x", rows=rows), matrix(y, "y", rows=rows)
    same_rows(a, b)
    varying_columns(a, "x")
    varying_columns(b, "y")
    return a - a.mean(axis=0), b - b.mean(axis=0)


def _factorised(*parts: FloatArray) -> AbstractContextManager[None]:
    """Says that factors or products of matrices take long: seconds of their operations."""
    rows, columns = (max(part.shape[axis] for part in parts) for axis in (0, 1))
    return whole(f"factors of {rows:,} stimuli x {columns:,} units", 1e-9 * rows * columns * min(rows, columns))


def _basis(x: FloatArray, variance: float = 1.0) -> FloatArray:
    """Orthonormal basis [stimuli, k] of the leading directions of x that hold the share `variance`."""
    with _factorised(x):
        u, s, _ = np.linalg.svd(x, full_matrices=False)
    rank = int((s > s[0] * max(x.shape) * np.finfo(float).eps).sum())
    if variance < 1:
        share = np.cumsum(s**2) / (s**2).sum()
        # the slack keeps a share that is reached exactly from asking for one direction more
        rank = min(rank, int(np.searchsorted(share, variance - 1e-12) + 1))
    return np.asarray(u[:, :rank])


def _correlations(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Canonical correlations of two orthonormal bases, and the canonical variates of the first."""
    if max(a.shape[1], b.shape[1]) >= a.shape[0] - 1:
        warnings.warn(
            f"{a.shape[0]} stimuli span at most {a.shape[0] - 1} directions, and one representation has "
            f"{max(a.shape[1], b.shape[1])}: canonical correlations are then 1 whatever the data",
            RuntimeWarning,
            stacklevel=3,
        )
    with _factorised(a, b):
        u, rho, _ = np.linalg.svd(a.T @ b, full_matrices=False)
    return np.clip(rho, 0, 1), a @ u


@measure(
    name="cca",
    version="1",
    inputs="responses [stimuli, units] of both systems, same stimuli",
    invariances="invertible linear maps of either side, offset of each unit",
    use="which correlations do the shared directions of two systems have?",
    reference="Hotelling 1936, Biometrika 28:321",
    ceiling="ratio",
    cost="time",
)
@corresponding("x", "y")
def cca(x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
    """Canonical correlations, descending.

    Parameters
    ----------
    x, y : array_like, shape (stimuli, units of x), (stimuli, units of y)

    Returns
    -------
    ndarray, shape (min(rank x, rank y),)
        A warning says where there are too few stimuli for any value but 1.

    References
    ----------
    Hotelling 1936, Biometrika 28:321.
    """
    a, b = _pair(x, y)
    return _correlations(_basis(a), _basis(b))[0]


@measure(
    name="manifold_cca",
    version="1",
    inputs="loadings [shared neurons, components] of two animals",
    invariances="invertible linear maps of the components",
    use="as manifold_procrustes, whatever the weight of the components",
    reference="Hotelling 1936, Biometrika 28:321",
    ceiling="ratio",
    scale=SHARE,
    cost="time",
)
@corresponding("x", "y")
def cca_mean(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Mean canonical correlation.

    Parameters
    ----------
    x, y : array_like, shape (stimuli, units of x), (stimuli, units of y)
        Responses in any unit.

    Returns
    -------
    float
        In [0, 1]; see `cca` for too few stimuli.

    References
    ----------
    Hotelling 1936, Biometrika 28:321.
    """
    return float(cca(x, y).mean())


@measure(
    name="svcca",
    version="1",
    inputs="responses [stimuli, units] of both systems, same stimuli",
    invariances="rotation and isotropic scaling of either unit space, permutation of units",
    use="do two systems span the same subspace?",
    reference="Raghu et al. 2017, NeurIPS 30",
    ceiling="ratio",
    scale=SHARE,
    cost="time",
)
@corresponding("x", "y")
def svcca(x: npt.ArrayLike, y: npt.ArrayLike, variance: float = 0.99) -> float:
    """Mean canonical correlation of the leading singular directions of x and of y.

    Parameters
    ----------
    x, y : array_like, shape (stimuli, units of x), (stimuli, units of y)
    variance : float
        Share of the variance that the directions kept must hold, in (0, 1].

    Returns
    -------
    float
        In [0, 1].

    References
    ----------
    Raghu, Gilmer, Yosinski & Sohl-Dickstein 2017, NeurIPS 30.
    """
    if not 0 < variance <= 1:
        raise ComparisonError(f"variance={variance}", where="variance", expected="a share in (0, 1]")
    a, b = _pair(x, y)
    return float(_correlations(_basis(a, variance), _basis(b, variance))[0].mean())


@measure(
    name="pwcca",
    version="1",
    inputs="responses [stimuli, units] of both systems, same stimuli",
    invariances="invertible linear maps of y; order of the units of x and a common scale, not rotation of x",
    use="as svcca, with directions weighted by what they explain",
    reference="Morcos et al. 2018, NeurIPS 31",
    ceiling="ratio",
    cost="time",
)
@corresponding("x", "y")
def pwcca(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Canonical correlations averaged with the weight of each direction in x, sum_j |<h_i, x_j>|.

    Parameters
    ----------
    x, y : array_like, shape (stimuli, units of x), (stimuli, units of y)
        Not symmetric: the weights are those of the single units of `x`, so that a rotation of x changes them, as in the
        paper's definition.

    Returns
    -------
    float
        In [0, 1].

    References
    ----------
    Morcos, Raghu & Bengio 2018, NeurIPS 31, section 2.
    """
    a, b = _pair(x, y)
    rho, variates = _correlations(_basis(a), _basis(b))
    weight = np.abs(variates.T @ a).sum(axis=1)
    return inner(rho, weight) / float(weight.sum())


def gram(x: Any, name: str = "x") -> FloatArray:
    """Stimulus x stimulus Gram matrix X X^T of centred units; lazy arrays are read in blocks of units."""
    if not is_lazy(x):
        x = matrix(x, name)
    if x.ndim != 2:
        raise ComparisonError(f"{name} has {x.ndim} dimensions", where=name, expected="[stimuli, units]")
    n, units = (int(v) for v in x.shape)
    need = Estimate(f"Gram matrix of {n:,} stimuli", 8 * 3 * n**2 + 3 * BLOCK_BYTES, 8 * n**2, 2.0 * n**2 * units)
    afford(need, f"at most {fitting(24, 2):,} stimuli, or for `cka` arrays in memory with fewer units than stimuli")
    out = np.zeros((n, n))
    for _, block in axis_blocks(x):
        part = matrix(block, name)
        part = part - part.mean(axis=0)
        out += self_product(part)
    return out


def _hsic(k: FloatArray, m: FloatArray) -> float:
    """Unbiased HSIC_1 of two Gram matrices with zero diagonals (Song et al. 2012, equation 5)."""
    n = k.shape[0]
    row_k, row_m = k.sum(axis=0), m.sum(axis=0)
    cross = (k * m).sum() + row_k.sum() * row_m.sum() / ((n - 1) * (n - 2)) - 2 * inner(row_k, row_m) / (n - 2)
    return float(cross / (n * (n - 3)))


@measure(
    name="cka",
    version="1",
    inputs="responses [stimuli, units] of both systems, same stimuli",
    invariances="rotation and isotropic scaling of unit space, permutation of units",
    use="similarity of geometry, corrected for the number of units",
    reference="Kornblith et al. 2019, ICML; Song et al. 2012, JMLR 13:1393 (debiased HSIC)",
    ceiling="ratio",
    scale=SHARE,
    cost="memory",
)
@corresponding("x", "y")
def cka(x: Any, y: Any, debiased: bool = True) -> float:
    """Centred kernel alignment with linear kernels.

    Parameters
    ----------
    x, y : ndarray, dask or Zarr array, shape (stimuli, units of x), (stimuli, units of y)
    debiased : bool
        Use the unbiased HSIC_1. The biased form grows with the number of units: about p / (p + n - 1) for independent
        Gaussians of p units and n stimuli (.89 at p = 1000, n = 118).

    Returns
    -------
    float
        1 for y = c x Q with Q orthogonal; about 0 (of either sign, if debiased) for independent representations. NaN if a
        debiased self-alignment is not positive (pure noise in few stimuli).

    Raises
    ------
    ComparisonError
        For different stimuli, fewer than four of them, or constant units only.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton 2019, ICML 97:3519; Song, Smola, Gretton, Bedo & Borgwardt 2012, JMLR 13:1393.
    """
    if not (is_lazy(x) or is_lazy(y)):
        x, y = matrix(x, "x"), matrix(y, "y")
        if max(x.shape[1], y.shape[1]) < x.shape[0]:
            return _cka_of_few_units(x, y, debiased)
    k, m = gram(x, "x"), gram(y, "y")
    same_rows(k, m)
    if k.shape[0] < 4:
        raise ComparisonError(f"{k.shape[0]} stimuli", where="x and y", expected="at least four stimuli")
    for square, name in ((k, "x"), (m, "y")):
        if not np.trace(square) > 0:
            raise ComparisonError(f"every unit of {name} is constant", where=name, expected="units that vary")
    if not debiased:
        return float((k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum()))
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    own = _hsic(k, k), _hsic(m, m)
    return _hsic(k, m) / float(np.sqrt(own[0] * own[1])) if min(own) > 0 else float("nan")


@corresponding("x", "y")
def _cka_of_few_units(a: FloatArray, b: FloatArray, debiased: bool) -> float:
    """As `cka`, from products units x units, which are smaller where there are fewer units than stimuli.

    tr(K L) = |X^T Y|^2, and the rows of a centred Gram matrix add up to 0: without its diagonal, to minus the diagonal.
    """
    same_rows(a, b)
    n = a.shape[0]
    if n < 4:
        raise ComparisonError(f"{n} stimuli", where="x and y", expected="at least four stimuli")
    sides = []
    for values, name in ((a, "x"), (b, "y")):
        varying_columns(values, name)
        sides.append(values - values.mean(axis=0))

    def product(u: FloatArray, v: FloatArray) -> float:
        full = float(((u.T @ v) ** 2).sum())
        if not debiased:
            return full
        ku, kv = (u * u).sum(axis=1), (v * v).sum(axis=1)
        both = inner(ku, kv)
        cross = full - both + ku.sum() * kv.sum() / ((n - 1) * (n - 2)) - 2 * both / (n - 2)
        return float(cross / (n * (n - 3)))

    with _factorised(*sides):
        own, both = (product(sides[0], sides[0]), product(sides[1], sides[1])), product(*sides)
    return both / float(np.sqrt(own[0] * own[1])) if min(own) > 0 else float("nan")


@measure(
    name="rv",
    version="1",
    inputs="responses [stimuli, units] of both systems, same stimuli",
    invariances="rotation and isotropic scaling of unit space, permutation of units",
    use="similarity of geometry as a correlation of matrices; grows with the number of units, which cka corrects",
    reference="Robert & Escoufier 1976, Appl. Stat. 25:257; Smilde et al. 2009, Bioinformatics 25:401 (modified)",
    ceiling="ratio",
    cost="memory",
)
def rv(x: Any, y: Any, modified: bool = False) -> float:
    """RV coefficient: matrix correlation of the stimulus x stimulus Gram matrices.

    Parameters
    ----------
    x, y : array, shape (stimuli, units of x), (stimuli, units of y)
    modified : bool
        Leave the diagonals out (RV2): its bias p / (p + (n-1)^2) is smaller, but only debiased CKA has none.

    Returns
    -------
    float
        In [0, 1] (modified: [-1, 1]). The unmodified RV is the biased linear CKA.

    References
    ----------
    Robert & Escoufier 1976, Appl. Stat. 25:257; Smilde et al. 2009, Bioinformatics 25:401.
    """
    if not modified:
        return cka(x, y, debiased=False)
    k, m = gram(x, "x"), gram(y, "y")
    same_rows(k, m)
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    norm = float(np.sqrt((k * k).sum() * (m * m).sum()))
    if norm == 0:
        raise ComparisonError("every unit is constant", where="x or y", expected="units that vary")
    return float((k * m).sum() / norm)


@measure(
    name="procrustes",
    version="1",
    inputs="responses [stimuli, units] of both systems, same stimuli",
    invariances="rotation and isotropic scaling of unit space, permutation of units",
    use="distance of shapes after the best rotation",
    reference="Williams et al. 2021, NeurIPS 34",
    ceiling="ratio",
    cost="time",
)
@measure(
    name="manifold_procrustes",
    version="1",
    inputs="loadings [shared neurons, components] of two animals",
    invariances="rotation and scaling of the components",
    use="do shared neurons take the same part in the dynamics of two animals?",
    reference="Williams et al. 2021, NeurIPS 34; Kato et al. 2015, Cell 163:656",
    ceiling="ratio",
    scale=SHARE,
    cost="time",
)
@corresponding("x", "y")
def procrustes(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Procrustes similarity |X^T Y|_* / (|X|_F |Y|_F): overlap after the best rotation, reflection and scaling.

    Parameters
    ----------
    x, y : array_like, shape (stimuli, units of x), (stimuli, units of y)
        The numbers of units may differ (the smaller is padded with zeros, in effect).

    Returns
    -------
    float
        In [0, 1]; 1 for y = c x Q. The disparity of `scipy.spatial.procrustes` is 1 minus its square; the angle of
        Williams et al. is its arc cosine.

    References
    ----------
    Williams, Kunz, Kornblith & Linderman 2021, NeurIPS 34, equation 5.
    """
    a, b = _pair(x, y, rows=2)
    # The nuclear norm of X^T Y is that of the R factors, n x n where there are more units than stimuli.
    with _factorised(a, b):
        if a.shape[1] > a.shape[0]:
            a = np.asarray(np.linalg.qr(a.T, mode="r")).T
        if b.shape[1] > b.shape[0]:
            b = np.asarray(np.linalg.qr(b.T, mode="r")).T
        overlap = np.linalg.svd(a.T @ b, compute_uv=False).sum()
    return float(min(overlap / (norm(a) * norm(b)), 1.0))
