"""Oracles: populations made of the units of a model, copies of one population, stores that share no stimulus."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter

from allometry import stores
from allometry.compare.inputs.design import populations
from allometry.compare.kinds.representation_similarity import model_bank, stimuli
from allometry.compare.kinds.representation_similarity.comparison import estimates, representation_similarity
from allometry.compare.measures.populations.decoding import decode_across
from allometry.compare.measures.representations import geometry
from allometry.compare.result import Result
from allometry.errors import ComparisonError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import mcateer_v1
from tests.compare.responses import directions, make_responses, population

QUICK = {"nulls": 99, "bootstrap": 100, "splits": 8, "pixels": 32, "field_deg": 60.0, "orientations": 8}
FREQUENCIES = [0.03, 0.06, 0.12]
PARAMETERS = {
    "direction": [d for d in directions(8) for _ in range(2)],
    "spatial_frequency": [0.03, 0.1] * 8,
    "temporal_frequency": [2.0] * 16,
}


def gabor_units(noise: float, seed: int = 1, frequency: float = 0.06, model: str = "gabor_complex") -> np.ndarray:
    """Responses [stimuli, repeats, units] of noisy copies of a layer's units to the gratings of `PARAMETERS`."""
    screen = stimuli.Screen(60.0, 32)
    shown = population(np.ones((16, 2, 5)) + np.arange(5), PARAMETERS)
    movies, _ = stimuli.render(shown, screen)
    (layer,) = model_bank.bank(movies, screen, [model], frequencies=[frequency])
    rng = np.random.default_rng(seed)
    units = layer.responses[:, rng.choice(layer.responses.shape[1], 60)].astype(float)
    units = units / units.std()
    return units[:, None] + noise * rng.normal(size=(16, 6, 60))


@pytest.fixture(scope="module")
def found() -> Result:
    inputs = {"a": make_responses(gabor_units(0.4), PARAMETERS)}
    return representation_similarity(
        inputs,
        responses=["a"],
        models=["pixels", "gabor_complex", "random_convolution"],
        gabor_frequencies=FREQUENCIES,
        **QUICK,  # type: ignore[arg-type]
    )


def rows_of(result: Result) -> pd.DataFrame:
    return pd.DataFrame(result.rows)


def test_a_population_of_gabor_units_is_recognised(found: Result) -> None:
    rows = rows_of(found)
    modelled = rows[rows["group"] == "model"]
    for measure in ("ssm", "cka", "rsa"):
        scores = modelled[modelled["measure"] == measure].set_index("candidate")
        winner = str(scores["score"].idxmax())
        # whitening rescales the units, so that crossnobis does not tell neighbouring scales apart
        assert winner.startswith("gabor_complex" if measure == "rsa" else "gabor_complex: 0.06"), measure
        best = scores.loc["gabor_complex: 0.06 cycles/degree"]
        assert best.score > 0.8
        assert best.p == pytest.approx(0.01)
        assert best.score < best.ceiling_high + 0.02
        assert best.score > scores.loc["pixels: pixels", "score"] + 0.3
        if measure != "cka":
            assert best.over_low > 0
        # the bank holds every orientation alike: which direction is which tells it nothing
        assert best.baseline == "turned directions", measure
        assert best.verdict != "better", measure
        assert scores.loc["pixels: pixels", "verdict"] != ""
    depth = rows[rows["measure"] == "pseudo_depth"].set_index("candidate")
    assert depth.loc["gabor_complex", "score"] == 1
    assert depth.loc["gabor_complex", "ci_low"] <= 1 <= depth.loc["gabor_complex", "ci_high"]
    shape = found.curves["representational_dissimilarity"]
    assert shape["best_layer"].values.tolist() == ["gabor_complex: 0.06 cycles/degree"]
    assert found.curves["map"]["position"].shape == (1, 16, 2)


def test_baselines_and_controls_are_where_they_belong(found: Result) -> None:
    rows = rows_of(found)
    shuffled = rows[rows["group"] == "shuffled stimuli"]
    assert (shuffled["role"] == "baseline").all()
    assert shuffled["score"].abs().max() < 0.12
    turned = rows[(rows["group"] == "turned directions") & (rows["model"] == "gabor_complex")]
    # a bank with every orientation does not see a turn of all directions
    assert turned["score"].min() > 0.75
    halves = rows[(rows["group"] == "halves of the units") & (rows["measure"] == "cka")]
    assert halves["score"].iloc[0] > 0.8
    assert "contrast" in " ".join(found.derived)
    units = found.curves["score_by_units"].to_dataframe()
    best = units[units["layer"].astype(str) == "gabor_complex: 0.06 cycles/degree"]
    assert best["score"].iloc[-1] > best["score"].iloc[0]


def test_svcca_is_undecided_where_it_would_need_an_interval() -> None:
    result = representation_similarity(
        {"a": make_responses(gabor_units(0.4), PARAMETERS)},
        responses=["a"],
        models=["pixels", "gabor_complex"],
        gabor_frequencies=[0.06],
        measures=["svcca"],
        **QUICK,  # type: ignore[arg-type]
    )
    scored = rows_of(result).query("group == 'model'").set_index("model")
    assert scored[["ci_low", "ci_high", "over_low", "over_high"]].isna().all(axis=None)
    best = scored.loc["gabor_complex"]
    assert best.p == pytest.approx(0.01)
    assert best.over_pixels == pytest.approx(best.score - scored.loc["pixels", "score"])
    assert (best.baseline, best.verdict) == ("turned directions", "undecided")
    assert "it has no interval" in result.derived["svcca"]


def test_areas_of_one_store_share_all_stimuli() -> None:
    values = gabor_units(0.0)
    both = np.concatenate([values, values], axis=2)
    store = make_responses(both, PARAMETERS, units={"area": ["V1"] * 60 + ["LM"] * 60})
    result = representation_similarity({"s": store}, responses=["s"], models=[], **QUICK)  # type: ignore[arg-type]
    pairs = rows_of(result)
    pairs = pairs[pairs["group"] == "same stimuli"]
    assert pairs[["candidate", "reference"]].iloc[0].tolist() == ["s LM", "s V1"]
    measured = pairs.set_index("measure")["score"]
    assert measured["ssm"] == pytest.approx(1)
    assert measured["cka"] == pytest.approx(1)
    assert measured["rsa"] == pytest.approx(1, abs=0.01)  # rho-a of a matrix with ties stays below 1
    tree = stores.scores(result.rows, result.curves, attrs=store.attrs)
    assert tree.to_dataset().sizes["comparison"] == len(result.rows)


def test_stores_are_matched_by_the_directions_they_share() -> None:
    rng = np.random.default_rng(2)
    theta = np.deg2rad(directions(8))
    latent = np.array([np.cos(theta), np.sin(theta), np.cos(2 * theta)]).T
    fine = latent @ rng.normal(size=(3, 30))
    coarse = latent[::2] @ rng.normal(size=(3, 20))
    a = make_responses(fine[:, None] + 0.05 * rng.normal(size=(8, 4, 30)), {"direction": directions(8)})
    repeated = np.repeat(coarse, 2, axis=0)[:, None] + 0.05 * rng.normal(size=(8, 4, 20))
    b = make_responses(
        repeated, {"direction": [d for d in directions(4) for _ in range(2)], "temporal_frequency": [1.0, 4.0] * 4}
    )
    inputs = {"a": a, "b": b}
    result = representation_similarity(
        inputs,
        responses=["a", "b"],
        models=[],
        measures=["ssm"],
        **QUICK,  # type: ignore[arg-type]
    )
    rows = rows_of(result)
    pair = rows[rows["group"] == "shared direction"].iloc[0]
    assert pair["n"] == 4
    assert np.isnan(pair["ci_low"])  # four stimuli give no interval
    assert pair["p"] >= 1 / 24
    expected = geometry.agreement("ssm", *(geometry.matrix_of("ssm", v) for v in (fine[::2], coarse)))
    assert pair["score"] == pytest.approx(expected, abs=0.15)


def test_other_animals_bound_each_animal() -> None:
    truth = np.random.default_rng(3).normal(size=(8, 40))
    inputs = {}
    for animal in range(3):
        rng = np.random.default_rng(10 + animal)
        mixed = truth @ rng.normal(size=(40, 40))
        inputs[f"m{animal}"] = make_responses(
            mixed[:, None] + rng.normal(size=(8, 4, 40)), {"direction": directions(8)}
        )
    result = representation_similarity(
        inputs,
        responses=list(inputs),
        models=[],
        measures=["ssm"],
        **QUICK,  # type: ignore[arg-type]
    )
    rows = rows_of(result)
    others = rows[rows["group"] == "leave one animal out"]
    assert others["reference"].tolist() == list(inputs)
    vectors = [geometry.matrix_of("ssm", population_means(inputs[name])) for name in inputs]
    upper = np.triu_indices(8, 1)
    ranks = pd.DataFrame({name: v[upper] for name, v in zip(inputs, vectors)}).rank()
    standard = (ranks - ranks.mean()) / ranks.std(ddof=0)
    expected = [np.corrcoef(standard[n], standard.drop(columns=n).mean(axis=1))[0, 1] for n in inputs]
    assert others["score"].tolist() == pytest.approx(expected)


def test_a_decoder_of_one_animal_works_in_another_that_shares_its_code() -> None:
    rng = np.random.default_rng(4)
    code = rng.normal(size=(12, 5))
    systems = {"a": code, "b": code, "c": rng.normal(size=(12, 5))}
    inputs, data = {}, {}
    for name, latent in systems.items():
        means = latent @ rng.normal(size=(5, 30))
        data[name] = means[:, None] + 0.5 * rng.normal(size=(12, 6, 30))
        inputs[name] = make_responses(data[name], {"direction": directions(12)})
    result = representation_similarity(
        inputs,
        responses=list(inputs),
        models=[],
        measures=["svcca"],
        between=False,
        decoding_across=True,
        **QUICK,  # type: ignore[arg-type]
    )
    rows = rows_of(result)
    decoded = rows[(rows["measure"] == "decoding_across") & (rows["role"] == "result")]
    found = decoded.set_index(["candidate", "reference"])
    assert set(found.index) == set(itertools.permutations("abc", 2))
    assert (found["group"] == "shared direction").all()
    for pair in (("a", "b"), ("b", "a")):
        assert found.loc[pair, "score"] > 0.7
        assert found.loc[pair, "p"] == pytest.approx(0.01)
        assert found.loc[pair, "verdict"] == "better"
    for pair in (("a", "c"), ("c", "b")):
        assert found.loc[pair, "p"] > 0.02
    # stimuli of a store stand in the order of their labels
    order = [int(label.rpartition("/")[2] or 0) for label in populations("a", inputs["a"])[0].stimuli["label"]]
    assert len(set(order)) == 12
    x, y = (populations(name, inputs[name])[0].responses for name in "ab")
    expected = decode_across(x, y, nulls=99, seed=1)
    assert found.loc[("a", "b"), "score"] == expected.accuracy
    assert "decoding_across" in result.derived
    shuffled = rows[(rows["measure"] == "decoding_across") & (rows["role"] == "baseline")]
    assert len(shuffled) == 6
    assert shuffled["score"].between(0.02, 0.4).all()


def population_means(store: xr.Dataset) -> np.ndarray:
    (found,) = populations("x", store)
    return found.means


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"direction": [15.0 + d for d in directions(8)]}, "share 0 stimuli by direction"),
        ({"frame": list(range(8))}, "no parameter of the stimulus in common"),
    ],
)
def test_stores_that_share_no_stimulus_are_refused(parameters: dict[str, list[float]], message: str) -> None:
    values = np.random.default_rng(4).normal(size=(8, 3, 10))
    kind = "natural_scenes" if "frame" in parameters else "drifting_gratings"
    inputs = {
        "a": make_responses(values, {"direction": directions(8)}),
        "b": make_responses(values, parameters, kind=kind),
    }
    with pytest.raises(ComparisonError, match=message) as error:
        representation_similarity(inputs, responses=["a", "b"], models=[], **QUICK)  # type: ignore[arg-type]
    assert "between: false" in str(error.value)


def test_what_is_needed_is_known_before_it_is_needed() -> None:
    store = make_responses(gabor_units(0.1), PARAMETERS)
    (with_models,) = estimates({"x": store}, responses=["x"], pixels=64)
    (without,) = estimates({"x": store}, responses=["x"], models=[])
    assert with_models.peak_bytes > 16 * 60 * 64**2 * 4 + without.peak_bytes  # at least its movies
    assert without.peak_bytes > 8 * store["response"].size


def test_too_few_stimuli_are_refused() -> None:
    store = make_responses(np.random.default_rng(5).normal(size=(3, 3, 10)), {"direction": directions(3)})
    with pytest.raises(ComparisonError, match="3 stimuli"):
        representation_similarity({"a": store}, responses=["a"], models=[], **QUICK)  # type: ignore[arg-type]


def test_images_of_the_store_are_shown_to_the_models() -> None:
    rng = np.random.default_rng(6)
    images = np.array([gaussian_filter(rng.normal(size=(40, 48)), 3) for _ in range(10)])
    images = (255 * (images - images.min()) / np.ptp(images)).astype(np.uint8)
    screen = stimuli.Screen(60.0, 32)
    store = make_responses(rng.normal(size=(10, 3, 8)), {"frame": list(range(10))}, kind="natural_scenes")
    store = store.assign(pixels=(("image", "y", "x"), images)).assign_coords(image=np.arange(10))
    (shown,) = populations("x", store)
    movies, _ = stimuli.render(shown, screen, store=store)
    seen = np.array([movie[0, ::3, ::3].ravel() for movie in movies]).astype(float)
    values = seen[:, None] + 0.02 * rng.normal(size=(10, 4, seen.shape[1]))
    pixels = make_responses(values, {"frame": list(range(10))}, kind="natural_scenes")
    pixels = pixels.assign(pixels=store["pixels"]).assign_coords(image=np.arange(10))
    assert stores.violations(pixels) == []
    result = representation_similarity(
        {"x": pixels},
        responses=["x"],
        measures=["ssm"],
        models=["pixels", "gabor_complex", "motion_energy"],
        gabor_frequencies=[0.06],
        **QUICK,  # type: ignore[arg-type]
    )
    modelled = rows_of(result)
    modelled = modelled[modelled["group"] == "model"].set_index("candidate")
    # what does not move has no motion energy
    assert modelled.index.tolist() == ["pixels: pixels", "gabor_complex: 0.06 cycles/degree"]
    assert modelled["score"].idxmax() == "pixels: pixels"
    assert modelled["score"].max() > 0.8


def test_what_is_named_twice_counts_once() -> None:
    store = make_responses(gabor_units(0.2), PARAMETERS)
    result = representation_similarity(
        {"a": store},
        responses=["a", "a"],
        measures=["ssm", "ssm"],
        models=["gabor_complex"],
        gabor_frequencies=[0.06, 0.06],
        **QUICK,  # type: ignore[arg-type]
    )
    rows = rows_of(result)
    assert not rows.duplicated(["measure", "candidate", "reference", "group"]).any()
    assert (rows["group"] == "model").sum() == 1


def test_mcateer_is_closer_to_what_does_not_see_motion(mirror: Path) -> None:
    folder = mirror / "mouse_v1_mcateer"
    if not (folder / "DFF.mat").is_file():
        pytest.skip("the mirror has no mouse_v1_mcateer")
    source = Source("mcateer_v1", "Mus musculus", "", "MIT", "real", {})
    store = mcateer_v1.READER({"DFF.mat": folder / "DFF.mat"}, source, {})
    result = representation_similarity(
        {"m": store},
        responses=["m"],
        measures=["ssm"],
        models=["gabor_complex", "motion_energy"],
        gabor_frequencies=[0.04, 0.08],
        nulls=99,
        bootstrap=100,
        splits=20,
    )
    rows = rows_of(result)
    modelled = rows[rows["group"] == "model"].set_index("candidate")
    # the numbers of docs/comparisons.md
    assert modelled.loc["gabor_complex: 0.08 cycles/degree", "score"] == pytest.approx(0.85, abs=0.01)
    assert modelled.loc["motion_energy: 0.04 cycles/degree", "score"] == pytest.approx(0.24, abs=0.01)
    ceiling = modelled[["ceiling_low", "ceiling_high"]].iloc[0].tolist()
    assert ceiling == pytest.approx([0.89, 0.97], abs=0.01)
