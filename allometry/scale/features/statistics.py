"""Statistics of feature models that studies compare between sizes and conditions, by area of the model.

Those of all conditions together look for the best of the values that a parameter has in them.
"""

from collections.abc import Callable, Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from allometry.compare.measures.populations import tuning
from allometry.errors import ComparisonError
from allometry.models.features import cerebellum_theory
from allometry.models.features.sparse_rnn_classifier import mask
from allometry.numerics.fixed_order import product
from allometry.scale.features.responded import Responded
from allometry.scale.statistics.records import statistic

NAN = float("nan")
ENOUGH = 0.95
CLAWS = 4
FEWEST_UNITS = 2


@statistic(
    of="responses",
    unit="1",
    description="dimension (tr C)^2 / tr C^2 over presentations, tr C^2 from two halves of them",
)
def dimension(responded: Responded, area: str) -> float:
    """Dimension of the responses of an area; the second halves have errors of their own, so that few presentations bias nothing."""
    found = responded.of(area)
    if found.ndim != 2 or found.shape[0] < 2 or found.shape[1] < 8:
        return NAN
    if np.isin(found, (0.0, 1.0)).all():
        return cerebellum_theory.participation(found.T)
    first, second = (half - half.mean(axis=1, keepdims=True) for half in np.array_split(found, 2, axis=1))
    n, m = first.shape[1] - 1, second.shape[1] - 1
    trace = ((first**2).sum() / n + (second**2).sum() / m) / 2
    # tr C1 C2 by pairs of units or of presentations, whichever are fewer
    if len(found) <= n:
        squared = (product(first, first.T) * product(second, second.T)).sum()
    else:
        squared = (product(first.T, second) ** 2).sum()
    return float(trace**2 / (squared / (n * m)))


def _expected_dimension(responded: Responded, area: str) -> float:
    given = responded.parameters
    covered = area == "granule" and given.get("activation") == "binary" and given.get("weights") == "homogeneous"
    if not covered or given["degree"] is None or given["task"] != "patterns" or given["noise"]:
        return NAN
    cells = int((responded.units["area"] == area).sum())
    return cerebellum_theory.dimension(given["inputs"], cells, given["degree"], given["coding_level"])


@statistic(of="responses", unit="1", description="the same by the theory of cells with equal weights (cerebellum_like)")
def dimension_theory(responded: Responded, area: str) -> float:
    """Expected dimension over wirings; NaN of what the theory does not cover."""
    return _expected_dimension(responded, area)


@statistic(
    of="responses", unit="1", description="squared error of the readout over the squares of its target, at test points"
)
def relative_error(responded: Responded, area: str) -> float:
    """Error of a readout that learned a function."""
    target, said = responded.column("target"), responded.of(area)
    if target is None or len(said) != 1:
        return NAN
    test = responded.shown("test")
    return cerebellum_theory.relative_error(target[test], said[0, test])


@statistic(of="responses", unit="1", description="share of test patterns on the wrong side of the readout")
def category_error(responded: Responded, area: str) -> float:
    """Error of a readout that learned labels; of responses over time see `accuracy`."""
    label, said = responded.column("category"), responded.of(area)
    if label is None or len(said) != 1 or said.ndim != 2:
        return NAN
    test = responded.shown("test")
    return float(((said[0, test] > 0) != (label[test] > 0)).mean())


@statistic(
    of="responses",
    unit="1",
    description="share of patterns on their side of the readout, in the best step after training",
)
def accuracy(responded: Responded, area: str) -> float:
    """Accuracy that the fit of a classifier reached."""
    if not responded.fit or area != "readout":
        return NAN
    return 1.0 - float(responded.fit["residual"])


@statistic(
    of="responses",
    unit="1",
    description="share of test patterns whose label a decoder of the area's responses tells (nearest centroid, left out in turn)",
)
def category_decoding(responded: Responded, area: str) -> float:
    """Cross-validated decoding of the labels of patterns; of responses over time at the end of the presentation."""
    from allometry.compare.measures.populations import decoding

    label, found = responded.column("category"), responded.of(area)
    if label is None or len(found) < FEWEST_UNITS:
        return NAN
    if found.ndim == 3:
        ends = responded.column("duration")
        lag = responded.lag_s
        assert lag is not None
        found = found[:, :, int(np.abs(lag - (lag[-1] if ends is None else ends[0])).argmin())]
    test = responded.shown("test")
    classes = [found[:, test & (label == value)].T for value in np.unique(label)]
    if len(classes) != 2 or min(map(len, classes)) < 2:
        return NAN
    cube = np.full((2, max(map(len, classes)), len(found)), np.nan)
    for row, values in zip(cube, classes, strict=True):
        row[: len(values)] = values
    try:
        return float(decoding.decode_within(cube, "nearest_centroid", False).accuracy)
    except ComparisonError:  # responses that never change
        return NAN


@statistic(of="responses", unit="1", description="1 where every neuron can be reached from every other along synapses")
def strongly_connected(responded: Responded, area: str) -> float:
    """Whether the graph of a sparse recurrent classifier is strongly connected; its mean is a probability."""
    given = responded.parameters
    if responded.model != "sparse_rnn_classifier" or area != "network":
        return NAN
    source, target = mask(responded.seed, given["neurons"], given["degree"])
    graph = scipy.sparse.coo_array((np.ones(source.size), (target, source)), (given["neurons"], given["neurons"]))
    return float(scipy.sparse.csgraph.connected_components(graph, connection="strong")[0] == 1)


@statistic(
    of="responses", unit="1", description="mean orientation selectivity (1 - circular variance) of mean responses"
)
def selectivity(responded: Responded, area: str) -> float:
    """Mean selectivity for the orientation of gratings."""
    angle = next(
        (found for name in ("orientation", "direction") if (found := responded.column(name)) is not None), None
    )
    if angle is None:
        return NAN
    shown = np.unique(angle)
    found = responded.of(area)
    mean = np.stack([found[:, angle == one].mean(axis=1) for one in shown])
    # the orientation of bars that move is that of their direction, turned: the length of the mean is the same
    values = np.atleast_1d(tuning.osi(mean, np.deg2rad(shown)))
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else NAN


def _mean_of(responded: Responded, area: str, name: str, distance: bool = False) -> float:
    """Mean of a column of the units of an area, or of its distance from 0."""
    if name not in responded.units:
        return NAN
    values = responded.units[name][responded.units["area"] == area].to_numpy(np.float64)
    values = values[np.isfinite(values)]
    return float((np.abs(values) if distance else values).mean()) if values.size else NAN


@statistic(of="responses", unit="1", description="width of receptive fields along their preference over that across it")
def elongation(responded: Responded, area: str) -> float:
    """Mean elongation of the units of an area."""
    return _mean_of(responded, area, "elongation")


@statistic(
    of="responses", unit="degree", description="distance of preferred orientations from that of the site, 0 degrees"
)
def preference_error(responded: Responded, area: str) -> float:
    """Mean distance of preferences from the orientation that inputs are biased to (v2_feedforward)."""
    return _mean_of(responded, area, "preferred_orientation", distance=True)


def _texture_index(responded: Responded, area: str) -> float:
    family, found = responded.column("family"), responded.of(area)
    if family is None or not len(found):
        return NAN
    contours, noise = found[:, family == 1].mean(axis=1), found[:, family == 0].mean(axis=1)
    return float(((contours - noise) / (contours + noise)).mean())


@statistic(
    of="responses",
    unit="1",
    description="(contours - noise) / (contours + noise) of responses to images, mean over units",
)
def texture_index(responded: Responded, area: str) -> float:
    """How much more an area responds to contours than to noise of their amplitude spectrum."""
    return _texture_index(responded, area)


@statistic(of="responses", unit="1", description="the same less that of V1, which the area adds up")
def texture_gain(responded: Responded, area: str) -> float:
    """What adding V1 up adds to the sensitivity to contours."""
    return NAN if area == "V1" else _texture_index(responded, area) - _texture_index(responded, "V1")


def _over(
    responded: Mapping[str, Responded], area: str, parameter: str, value: Callable[[Responded, str], float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values of a parameter over the conditions, in order, and of a statistic; those that are not known are left out."""
    known = [one for one in responded.values() if one.parameters.get(parameter) is not None]
    at = np.array([float(one.parameters[parameter]) for one in known])
    found = np.array([value(one, area) for one in known])
    kept = np.isfinite(found)
    order = np.argsort(at[kept], kind="stable")
    return at[kept][order], found[kept][order]


def _best(at: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    return float(at[values.argmax()]) if np.unique(at).size > 1 else NAN


@statistic(
    of="responses",
    across=True,
    unit="1",
    description="inputs per cell of largest dimension, of the conditions' degrees",
)
def best_degree(responded: Mapping[str, Responded], area: str) -> float:
    """Degree of largest dimension."""
    return _best(*_over(responded, area, "degree", dimension))


@statistic(of="responses", across=True, unit="1", description="the same by the theory")
def best_degree_theory(responded: Mapping[str, Responded], area: str) -> float:
    """Degree of largest expected dimension."""
    return _best(*_over(responded, area, "degree", _expected_dimension))


@statistic(
    of="responses",
    across=True,
    unit="1",
    description="dimension at four inputs per cell over the largest of the conditions",
)
def dimension_at_four(responded: Mapping[str, Responded], area: str) -> float:
    """What four inputs per cell keep of the largest dimension."""
    at, found = _over(responded, area, "degree", dimension)
    four = found[at == CLAWS]
    return float(four[0] / found.max()) if four.size and np.unique(at).size > 1 else NAN


@statistic(
    of="responses", across=True, unit="1", description="coding level below .4 of least error, of the conditions' levels"
)
def best_coding_level(responded: Mapping[str, Responded], area: str) -> float:
    """Coding level of least error of a function or of labels; a half is special, and levels above are not looked at."""
    for error in (relative_error, category_error):
        at, found = _over(responded, area, "coding_level", error)
        if found.size:
            return _best(at[at <= 0.4], -found[at <= 0.4])
    return NAN


@statistic(
    of="responses",
    across=True,
    unit="1",
    description="fewest synapses per neuron of an accuracy of .95, of the conditions' degrees",
)
def smallest_degree(responded: Mapping[str, Responded], area: str) -> float:
    """Fewest synapses per neuron that reach an accuracy of .95; NaN where none does."""
    at, found = _over(responded, area, "degree", accuracy)
    return float(at[found >= ENOUGH].min()) if (found >= ENOUGH).any() else NAN
