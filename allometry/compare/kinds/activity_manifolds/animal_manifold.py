"""An animal's manifold of activity (Kato et al. 2015), and animals brought into one space by the neurons they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import xarray as xr

from allometry.compare.inference.arrays import FloatArray, IntArray, matrix, varies, whole_number
from allometry.compare.inference.progress import steps, whole
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError
from allometry.stores.summaries.activity import KATO_WINDOW, principal_components, smoothed_derivative

FEWEST_SHARED = 8
SHOWN_SAMPLES = 1200
SHIFTS = 99  # of the null of the explained share


@dataclass(frozen=True)
class Animal:
    """One recording at its native rate: labelled neurons, trace and derivative [time, neurons], state of every sample.

    `explained` [components] and `loading` [neurons, components] (sd along each component) are those of the derivative of
    all ROIs, labelled or not; `halves` the loadings of the first and of the second half of the recording; `shifted` [sets]
    the share that as many components explain where every ROI is shifted in time by itself.
    """

    name: str
    neurons: list[str]
    trace: FloatArray
    derivative: FloatArray
    explained: FloatArray
    loading: FloatArray
    halves: tuple[FloatArray, FloatArray]
    state: np.ndarray | None
    rate_hz: float
    rois: int
    shifted: FloatArray

    def index(self, labels: Sequence[str]) -> IntArray:
        """Columns of the neurons named."""
        place = {label: i for i, label in enumerate(self.neurons)}
        return np.array([place[label] for label in labels], dtype=np.int64)


@measure(
    name="manifold_explained",
    version="1",
    inputs="traces [time, neurons]",
    invariances="order of neurons, rotation",
    use="how low-dimensional is the change of activity?",
    reference="Kato et al. 2015, Cell 163:656",
    scale=SHARE,
    cost="time",
)
def derivative_components(derivative: FloatArray, components: int) -> tuple[FloatArray, FloatArray]:
    """Share of variance [components] and loadings [neurons, components], in units of the derivative's sd along each.

    The sign of a component is such that its largest loading is positive.
    """
    derivative, components = matrix(derivative, "derivative", rows=2), whole_number(components, "components")
    with whole(f"components of {derivative.shape[1]:,} traces", 1e-9 * derivative.size * min(derivative.shape)):
        share, loading = principal_components(derivative, components)
    sign = np.sign(loading[np.abs(loading).argmax(axis=0), np.arange(loading.shape[1])])
    return share, loading * np.where(sign == 0, 1.0, sign)


def shifted_shares(derivative: FloatArray, components: int, seed: int) -> FloatArray:
    """Share of variance [`SHIFTS`] of the first components where every ROI is shifted circularly by a time of its own.

    What is left is what slow signals share by chance: the derivative of few samples has large components of its own.
    """
    rng = np.random.default_rng(seed)
    centred = derivative - derivative.mean(axis=0)
    found = np.empty(SHIFTS)
    for k in steps(range(SHIFTS), "shifted traces"):
        lags = rng.integers(0, len(centred), centred.shape[1])
        moved = np.column_stack([np.roll(column, lag) for column, lag in zip(centred.T, lags)])
        # the smaller of the two covariances has the same non-zero spectrum
        gram = moved.T @ moved if moved.shape[1] <= len(moved) else moved @ moved.T
        power = np.linalg.eigvalsh(gram)
        found[k] = power[-components:].sum() / power.sum()
    return found


def read_animals(name: str, tree: xr.DataTree, components: int, states: Sequence[str]) -> list[Animal]:
    """Animals of an Activity store, at their native rates."""
    root = tree.to_dataset(inherit=False)
    animals: list[Animal] = []
    for recording, rate in zip(root["recording"].values.tolist(), root["native_rate"].values.tolist()):
        native = tree["native"].children[recording].to_dataset(inherit=False)
        trace = native["trace"].values.astype(float)
        # an ROI with gaps has no derivative there
        whole = np.isfinite(trace).all(axis=0)
        trace, labels = trace[:, whole], native["label"].values[whole].tolist()
        if len(trace) < 4 * KATO_WINDOW or trace.shape[1] <= components:
            raise ComparisonError(
                f"{recording} has {len(trace)} samples of {trace.shape[1]} ROIs without gaps",
                where=name,
                expected=f"at least {4 * KATO_WINDOW} samples and more ROIs than the {components} components",
                do="leave this store out",
            )
        derivative = smoothed_derivative(trace)
        known = [i for i, label in enumerate(labels) if label]
        half = len(derivative) // 2
        explained, loading = derivative_components(derivative, components)
        halves = [derivative_components(part, components)[1][known] for part in (derivative[:half], derivative[half:])]
        animals.append(
            Animal(
                recording,
                [labels[i] for i in known],
                trace[:, known],
                derivative[:, known],
                explained,
                loading[known],
                (halves[0], halves[1]),
                _states(native, states),
                float(rate),
                trace.shape[1],
                shifted_shares(derivative, components, len(animals)),
            )
        )
    few = [
        (a.name, b.name, len(set(a.neurons) & set(b.neurons)))
        for a, b in combinations(animals, 2)
        if len(set(a.neurons) & set(b.neurons)) < max(FEWEST_SHARED, components + 3)
    ]
    if len(animals) < 2 or few:
        raise ComparisonError(
            f"{few[0][0]} and {few[0][1]} share {few[0][2]} neurons" if few else f"{len(animals)} recordings",
            where=name,
            expected=f"two recordings or more; each pair with {max(FEWEST_SHARED, components + 3)} shared labelled neurons",
            do="use recordings with more labels, or lower `components`",
        )
    return animals


def _states(native: xr.Dataset, names: Sequence[str]) -> np.ndarray | None:
    """State of every sample as text, of the first variable over time that the recording has; numbers get its name."""
    name = next((name for name in names if name in native and native[name].dims == ("time",)), None)
    if name is None:
        return None
    values = native[name].values
    if values.dtype.kind not in "iufb":
        return np.asarray(values.astype(object))
    return np.array([f"{name} {value:g}" if np.isfinite(value) else "" for value in values.astype(float)], dtype=object)


def shared_neurons(a: Animal, b: Animal) -> list[str]:
    """Names of the neurons that both animals have, sorted."""
    return sorted(set(a.neurons) & set(b.neurons))


def common_states(animals: Sequence[Animal], ignored: Sequence[str], fewest: int) -> list[str]:
    """States that every animal has in at least `fewest` samples, sorted; none unless there are two."""
    found: set[str] | None = None
    for animal in animals:
        if animal.state is None:
            return []
        names, counts = np.unique(animal.state, return_counts=True)
        mine = {str(n) for n, c in zip(names, counts) if c >= fewest and n not in ignored}
        found = mine if found is None else found & mine
    return sorted(found) if found and len(found) >= 2 else []


def standardised(features: FloatArray) -> FloatArray:
    """Features [samples, dimensions] of mean 0 and sd 1; constant ones are 0."""
    centred = features - features.mean(axis=0)
    return np.divide(centred, centred.std(axis=0), out=np.zeros_like(centred), where=varies(features))


def aligned_features(
    source: Animal, target: Animal, labels: Sequence[str], components: int
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Features of both animals on the neurons named: `neurons`, `manifold` (rotated) and `unaligned`.

    The components of each animal are those of its derivative on these neurons; the rotation brings the loadings of the
    target nearest to those of the source (orthogonal Procrustes). Nothing of it has seen a state.
    """
    index = source.index(labels), target.index(labels)
    both = (source, target)
    neurons = [standardised(np.hstack([m.trace[:, k], m.derivative[:, k]])) for m, k in zip(both, index)]
    loads = [derivative_components(m.derivative[:, k], components)[1] for m, k in zip(both, index)]
    u, _, v = np.linalg.svd(loads[1].T @ loads[0])
    axes = [load / np.linalg.norm(load, axis=0) for load in loads]

    def along(which: int, basis: FloatArray) -> FloatArray:
        animal, k = both[which], index[which]
        return standardised(np.hstack([animal.trace[:, k] @ basis, animal.derivative[:, k] @ basis]))

    own = along(0, axes[0])
    return {
        "neurons": (neurons[0], neurons[1]),
        "manifold": (own, along(1, axes[1] @ u @ v)),
        "unaligned": (own, along(1, axes[1])),
    }


def trajectories(animals: Sequence[Animal], truth: Sequence[IntArray], components: int) -> tuple[FloatArray, IntArray]:
    """Traces along the components of the neurons that all animals share, rotated to the first animal; thinned, padded by NaN."""
    labels = sorted(set.intersection(*(set(animal.neurons) for animal in animals)))
    path = np.full((len(animals), SHOWN_SAMPLES, components), np.nan)
    code = np.full((len(animals), SHOWN_SAMPLES), -1, dtype=np.int64)
    if len(labels) <= components:
        return path, code
    for k, animal in enumerate(animals):
        half = aligned_features(animals[0], animal, labels, components)["manifold"][1][:, :components]
        thin = np.linspace(0, len(half) - 1, SHOWN_SAMPLES).round().astype(int)
        path[k], code[k] = half[thin], truth[k][thin]
    return path, code
