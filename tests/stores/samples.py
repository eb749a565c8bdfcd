"""Small valid objects of every kind, fixed ones and hypothesis strategies."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from hypothesis import strategies as st

from allometry import stores

ATTRS: dict[str, Any] = {
    "title": "A sample",
    "species": "Caenorhabditis elegans",
    "citation": "Nobody 2020",
    "licence": "CC0-1.0",
    "source": {"a.csv": "0" * 64},
    "parameters": {"threshold": 0.5},
    "derived": {},
}
KINDS = (
    "activity",
    "clamp",
    "compute",
    "connectome",
    "responses",
    "scaling",
    "scores",
    "spikes",
    "recorded_spikes",
    "stack",
)


def connectome() -> xr.Dataset:
    nodes = pd.DataFrame(
        {"type": ["sensory", "motor", "muscle"], "sign": [1, -1, 0], "x": [1.0, np.nan, 3.0]}, index=["AVAL", "b", "é"]
    )
    edges = pd.DataFrame(
        [
            ("é", "AVAL", 2.5, "chemical"),
            ("AVAL", "b", 1, "chemical"),
            ("AVAL", "b", 4, "electrical"),
            ("b", "AVAL", 2, "electrical"),
            ("b", "é", 3, "electrical"),
            ("b", "b", -0.5, "functional"),
        ],
        columns=["source", "target", "weight", "synapse"],
    ).assign(q=np.linspace(0, 1, 6), occurrences=np.arange(6))
    return stores.connectome(nodes, edges, attrs=ATTRS, units={"x": "m"})


def recording(name: str, seed: int, samples: int = 20) -> stores.Recording:
    rng = np.random.default_rng(seed)
    resampled = rng.normal(size=(samples, 3)).astype(np.float32)
    resampled[:, 2] = np.nan
    return stores.Recording(
        name=name,
        time=np.arange(2 * samples) * 0.25,
        trace=rng.normal(size=(2 * samples, 4)),
        label=["AVAL", "", "AVAR", ""],
        label_confidence=np.array([5, np.nan, 3, np.nan]),
        resampled=resampled,
        metadata={"sex": "hermaphrodite", "age_days": 1, "temperature": 20.5, "moving": True},
        extra={
            "velocity": ("time", np.zeros(2 * samples), {"units": "m/s"}),
            "position": (("roi", "axis"), rng.normal(size=(4, 3)), {"units": "m"}),
        },
        resampled_extra={"velocity": ("sample", np.ones(samples), {"units": "m/s"})} if seed else {},
    )


def activity() -> xr.DataTree:
    recordings = [recording("worm_1", 0), recording("worm_2", 1, 30)]
    return stores.activity(recordings, ["AVAL", "AVAR", "RIBL"], 2.0, attrs=ATTRS)


def responses() -> xr.Dataset:
    rng = np.random.default_rng(3)
    presentations = pd.DataFrame(
        {"stimulus": "grating", "condition": ["0", "90", "90", "0", "0"], "onset": np.arange(5.0), "contrast": 0.5}
    )
    units = pd.DataFrame({"area": ["V1", "LM"], "depth": [1e-4, np.nan]}, index=[17, 4])
    return stores.responses(rng.normal(size=(2, 5, 3)), presentations, units, lag_s=[0, 0.1, 0.2], attrs=ATTRS)


def spikes() -> xr.Dataset:
    return stores.spikes_simulated(
        [1, 1, 5, 9],
        [0, 2, 1, 0],
        dt_ms=0.1,
        units=pd.DataFrame({"population": ["E", "E", "I"]}),
        duration_ms=1.0,
        attrs={**ATTRS, "seed": 1},
        count=np.array([[1, 0, 1], [1, 1, 0]]),
        bin_ms=0.5,
        voltage=np.full((2, 1), -65.0),
        voltage_step=np.array([0, 5]),
        probe=[2],
    )


def recorded_spikes() -> xr.Dataset:
    units = pd.DataFrame({"population": ["V1", "V1", "LM"], "depth": [1e-4, 2e-4, np.nan]}, index=["a", "b", "c"])
    observed = [[0.0, 1.0], [2.0, 3.0]]
    return stores.spikes_recorded([0.1, 2.5, 0.2], [2, 0, 1], units=units, observed=observed, attrs=ATTRS)


def clamp() -> xr.Dataset:
    axes = {"cell": ["AIY", "RIM"], "genotype": ["wild_type"], "channel": ["LEAK", "EGL19"], "amplitude": [-10.0, 10.0]}
    time = np.arange(0.0, 40.0, 2.0)
    rng = np.random.default_rng(5)
    current = rng.normal(size=(2, 1, 2, 2, time.size))
    current[1, 0, 1] = np.nan
    names = ("v_rest", "v_5ms", "v_50ms", "v_peak", "v_steady", "i_peak", "i_steady")
    each = {name: rng.normal(size=(2, 1, 2)) for name in names}
    return stores.clamp(
        {**axes, "time": time},
        {"voltage": rng.normal(-60, 10, (2, 1, 2, time.size)), "current": current, **each},
        attrs={**ATTRS, "protocol": "current", "onset_ms": 20.0, "duration_ms": 18.0, "holding_mv": -65.0},
    )


def scores() -> xr.DataTree:
    rows = [
        {
            "measure": "auc",
            "candidate": "cook",
            "reference": "randi",
            "score": 0.6,
            "ci_low": 0.5,
            "ci_high": 0.7,
            "p": 0.01,
        },
        {"measure": "auc", "candidate": "white", "reference": "randi", "group": "wt", "score": 0.55, "pairs": 100},
    ]
    curve = xr.Dataset({"tpr": ("fpr", [0.0, 0.5, 1.0])}, {"fpr": [0.0, 0.3, 1.0], "step": ("fpr", ["a", "b", "c"])})
    return stores.scores(rows, {"roc": curve}, attrs=ATTRS)


def scaling() -> xr.DataTree:
    axes = {
        "size": [0.5, 1.0],
        "scheme": ["halved"],
        "seed": [1, 2, 3],
        "condition": [""],
        "statistic": ["rate", "cv"],
        "population": ["E", "I"],
    }
    rng = np.random.default_rng(4)
    value = rng.normal(5.0, 1.0, (2, 1, 3, 1, 2, 2))
    mean = value.mean(axis=2)
    over_seeds = {"mean": mean, "ci_low": mean - 1, "ci_high": mean + 1, "deviation": mean / mean[1] - 1}
    bounds = {"deviation_low": over_seeds["deviation"] - 0.1, "deviation_high": over_seeds["deviation"] + 0.1}
    verdict = np.full(mean.shape, "undetermined", object)
    verdict[1] = "reference"
    of_jobs = {
        "neurons": [[50], [100]],
        "synapses": [[2500.0], [1e4]],
        "calibration": [["converged"], [""]],
        "residual": [[0.01], [np.nan]],
    }
    tables = {"laws": xr.Dataset({"law": ("row", ["constant"]), "exponent": ("row", [np.nan])})}
    return stores.scaling(
        axes,
        {"unit": ["Hz", "1"], "value": value, "verdict": verdict, **over_seeds, **bounds, **of_jobs},
        tables,
        attrs={**ATTRS, "model": "brunel", "reference": 1.0, "tolerance": 0.1},
    )


def compute() -> xr.Dataset:
    return stores.compute(
        {
            "experiment": ["strong", "exchange", "compare"],
            "size": [0.1, 0.0, 0.0],
            "partitions": [2, 3, 2],
            "threads": [1, 1, 1],
            "neurons": [100, 0, 0],
            "synapses": [5000, 0, 0],
            "spikes": [300, 0, 0],
            "events": [15000, 0, 0],
            "rounds": [10000, 0, 0],
            "message_bytes": [0.12, 512.0, 0.0],
            "tasks": [0, 0, 8],
        },
        attrs={**ATTRS, "model": "brunel", "duration_ms": 1000.0},
    )


def stack() -> xr.Dataset:
    matrix = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    return stores.stack({"chemical": matrix}, np.ones((2, 2), bool), ["one", "two"], ["a", "b"], attrs=ATTRS)


def sample(kind: str) -> xr.Dataset | xr.DataTree:
    return globals()[kind]()


# Text as it may stand in a spreadsheet: any character but surrogates, which UTF-8 cannot hold.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.text("abcXYZ0123_-é", min_size=1, max_size=8)
FLOAT32 = st.floats(width=32, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ATTRIBUTES = st.builds(
    lambda title, parameters, derived: {**ATTRS, "title": title, "parameters": parameters, "derived": derived},
    NAMES,
    st.dictionaries(TEXT, JSON, max_size=3),
    st.dictionaries(TEXT, TEXT, max_size=2),
)


def _floats(draw: Any, *shape: int) -> np.ndarray:
    count = int(np.prod(shape))
    return np.array(draw(st.lists(FLOAT32, min_size=count, max_size=count)), np.float32).reshape(shape)


@st.composite
def connectomes(draw: Any) -> xr.Dataset:
    labels = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    pair = st.tuples(st.sampled_from(labels), st.sampled_from(labels), st.sampled_from(stores.SYNAPSES))
    pairs = draw(st.lists(pair, max_size=12, unique=True))
    size = st.floats(0, 1e6, width=32)
    weights = [draw(size) * (draw(st.sampled_from([-1, 1])) if kind == "functional" else 1) for _, _, kind in pairs]
    edges = pd.DataFrame(pairs, columns=["source", "target", "synapse"]).assign(weight=np.array(weights, float))
    nodes = pd.DataFrame({"type": draw(st.lists(TEXT, min_size=len(labels), max_size=len(labels)))}, index=labels)
    return stores.connectome(nodes, edges, attrs=draw(ATTRIBUTES))


@st.composite
def activities(draw: Any) -> xr.DataTree:
    neurons = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    recordings = []
    for name in draw(st.lists(NAMES.filter(lambda n: n[0] != "."), min_size=1, max_size=3, unique=True)):
        samples, rois, frames = draw(st.integers(1, 5)), draw(st.integers(0, 3)), draw(st.integers(2, 5))
        steps = draw(st.lists(st.floats(0.01, 10), min_size=frames, max_size=frames))
        recordings.append(
            stores.Recording(
                name=name,
                time=np.cumsum(steps),
                trace=_floats(draw, frames, rois),
                label=draw(st.lists(st.sampled_from(["", *neurons]), min_size=rois, max_size=rois)),
                resampled=_floats(draw, samples, len(neurons)),
                metadata={"note": draw(TEXT)},
                attrs={"dropped": draw(TEXT)},
            )
        )
    return stores.activity(recordings, neurons, draw(st.floats(0.1, 100)), attrs=draw(ATTRIBUTES))


@st.composite
def response_sets(draw: Any) -> xr.Dataset:
    units, shown, lags = draw(st.integers(0, 3)), draw(st.integers(0, 5)), draw(st.integers(0, 3))
    table = pd.DataFrame(
        {
            "stimulus": draw(st.lists(TEXT, min_size=shown, max_size=shown)),
            "condition": draw(st.lists(st.sampled_from(["a", "b"]), min_size=shown, max_size=shown)),
        }
    )
    shape = (units, shown, lags) if lags else (units, shown)
    return stores.responses(
        _floats(draw, *shape),
        table,
        pd.DataFrame(index=range(units)),
        lag_s=np.arange(lags) / 10 if lags else None,
        attrs=draw(ATTRIBUTES),
    )


@st.composite
def spike_sets(draw: Any) -> xr.Dataset:
    count = draw(st.integers(1, 4))
    table = pd.DataFrame({"population": draw(st.lists(TEXT, min_size=count, max_size=count))})
    events = draw(st.lists(st.tuples(st.integers(0, 100), st.integers(0, count - 1)), max_size=30, unique=True))
    if draw(st.booleans()):
        step, unit = (np.array(column, int) for column in (zip(*events) if events else ([], [])))
        return stores.spikes_simulated(step, unit, dt_ms=0.1, units=table, duration_ms=10, attrs=draw(ATTRIBUTES))
    rows = [sorted(time / 7 for time, unit in events if unit == i) for i in range(count)]
    return stores.spikes_recorded(
        np.array([time for row in rows for time in row]),
        [len(row) for row in rows],
        units=table,
        observed=[[0, 20]],
        attrs=draw(ATTRIBUTES),
    )


@st.composite
def score_sets(draw: Any) -> xr.DataTree:
    number = st.none() | st.floats(allow_infinity=False)
    keys = draw(st.lists(st.tuples(NAMES, NAMES, TEXT), max_size=5, unique=True))
    rows = pd.DataFrame(
        [{"measure": m, "candidate": c, "group": g, "score": draw(number), "ceiled": draw(number)} for m, c, g in keys],
        columns=["measure", "candidate", "group", "score", "ceiled"],
    )
    names = draw(st.lists(NAMES.filter(lambda n: n[0] != "."), max_size=2, unique=True))
    curves = {name: xr.Dataset({"value": ("x", _floats(draw, 3))}, attrs={"of": draw(TEXT)}) for name in names}
    return stores.scores(rows, curves, attrs=draw(ATTRIBUTES))


ANY_STORE = {
    "activity": activities(),
    "connectome": connectomes(),
    "responses": response_sets(),
    "scores": score_sets(),
    "spikes": spike_sets(),
}
