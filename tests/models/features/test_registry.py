"""The registry of feature models says exactly what their builders accept."""

import inspect
import json
from collections.abc import Iterator

import numpy as np
import pytest

from allometry.errors import PluginError, SimulationError
from allometry.models import build as build_network
from allometry.models import features
from allometry.models.catalogue.fits import Fit
from allometry.models.features import FEATURE_MODELS, Features, feature_model, sparse_training
from allometry.models.features.elementary import exp, integral, normal_tail, sine, tanh
from allometry.models.features.registry import fitted_by


@pytest.mark.parametrize("name", sorted(FEATURE_MODELS))
def test_parameters_are_those_of_the_builder(name: str) -> None:
    entry = FEATURE_MODELS[name]
    accepted = [p for p in inspect.signature(entry.build).parameters if p not in ("seed", "fitted")]
    assert list(entry.parameters) == accepted
    assert set(entry.fitted_by) <= set(accepted)
    assert entry.check is not None
    assert list(inspect.signature(entry.check).parameters) == accepted


@pytest.mark.parametrize("name", sorted(FEATURE_MODELS))
def test_the_number_of_units_is_known_before(name: str) -> None:
    entry = FEATURE_MODELS[name]
    if entry.reduce is None:
        pytest.skip("it has one size")
    assert entry.size is not None
    for scheme in entry.schemes:
        units, synapses = entry.size(**features.resolved(name, dict(entry.reduce(50.0, scheme))))
        assert units > 0
        assert synapses > units / 2


@pytest.fixture
def apart() -> Iterator[None]:
    """Models that a test makes are gone after it."""
    before = dict(FEATURE_MODELS.parts), dict(FEATURE_MODELS.modules)
    yield
    FEATURE_MODELS.parts, FEATURE_MODELS.modules = before


def _fit(seed: int, gain: float) -> Fit:
    return Fit({"weight": np.array([gain, 1 / 3])}, 0.5 * gain, 0.7, 3, "a half of the gain", [1.0, 0.5])


def pair(seed: int, fitted: Fit, gain: float = 1.0, shift: float = 0.0) -> Features:
    """Build it.

    Parameters
    ----------
    gain, shift : float
        Numbers.
    """
    return Features(
        np.full((2, 3), fitted.arrays["weight"][0] + shift),
        {"stimulus": ["a"] * 3, "condition": list("abc")},
        {"area": ["x", "y"]},
    )


@pytest.mark.usefixtures("apart")
def test_fits_are_made_of_what_they_depend_on() -> None:
    feature_model(description="Two units.", source="this test", fit=_fit)(pair)
    assert fitted_by("pair", {"shift": 2.0}) == {"gain": 1.0}
    assert fitted_by("dendritic_sum") is None
    assert features.build("pair", {"gain": 2.0, "shift": 1.0}).response.tolist() == [[3.0] * 3] * 2
    fitted = features.fit("pair", {"gain": 2.0})
    assert not fitted.converged
    assert "did NOT converge: a half of the gain 1 after 3 iterations, tolerance 0.7" in str(fitted)
    again = Fit.from_dict(json.loads(json.dumps(fitted.as_dict())))
    assert again.summary == fitted.summary
    assert np.array_equal(again.arrays["weight"], fitted.arrays["weight"])
    with pytest.raises(SimulationError, match="not fitted"):
        features.fit("dendritic_sum")


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("cerebelum_like", {}, "perhaps 'cerebellum_like' is meant"),
        ("dendritic_sum", {"cluster": 1}, "perhaps 'clusters' is meant"),
        ("dendritic_sum", {"clusters": "two"}, "a whole number or null"),
    ],
)
def test_mistakes_are_explained(name: str, parameters: dict, said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        features.build(name, parameters)


def test_a_feature_model_is_no_network() -> None:
    with pytest.raises(SimulationError, match="kind: feature"):
        build_network("dendritic_sum")


@pytest.mark.usefixtures("apart")
def test_a_model_says_all_that_a_configuration_needs() -> None:
    with pytest.raises(PluginError, match="no description, no source"):
        feature_model(fit=_fit)(pair)
    with pytest.raises(PluginError, match="no first parameters seed"):
        feature_model(description="Two units.", source="this test")(lambda gain=1.0: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(PluginError, match="parameter other, which is its stimulus"):
        feature_model(description="Two units.", source="this test", fit=_fit, stimulus=("other",))(pair)
    with pytest.raises(PluginError, match="@feature_model above 'pair' has no record"):
        feature_model(pair)
    with pytest.raises(PluginError, match="a network model called 'brunel'"):
        feature_model(description="Two units.", source="this test", fit=_fit, name="brunel")(pair)


@pytest.mark.usefixtures("apart")
def test_a_builder_that_gives_something_else() -> None:
    def other(seed: int, gain: float = 1.0) -> Features:
        """Build it.

        Parameters
        ----------
        gain : float
            A number.
        """
        return 3  # type: ignore[return-value]

    feature_model(description="A number.", source="this test")(other)
    with pytest.raises(SimulationError, match="gives 'int'"):
        features.build("other")


def test_elementary_functions() -> None:
    x = np.linspace(-30, 30, 20_001)
    np.testing.assert_allclose(exp(x), np.exp(x), rtol=4e-16 * 4)
    np.testing.assert_allclose(tanh(x), np.tanh(x), rtol=0, atol=5e-16)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 10_001)
    np.testing.assert_allclose(sine(angle), np.sin(angle), rtol=0, atol=3e-16)
    assert exp(-800.0) == 0.0
    assert np.isfinite(exp(800.0))
    assert float(tanh(0.5)) == sparse_training._HALF
    # of other numbers as of the same ones in double precision
    for values in (np.arange(-3, 4), np.linspace(-1, 1, 7, dtype=np.float32)):
        for function in (exp, sine, tanh):
            assert function(values).dtype == np.float64
            np.testing.assert_array_equal(function(values), function(values.astype(np.float64)))
    from scipy.special import ndtr

    np.testing.assert_allclose(normal_tail(x), ndtr(-x), rtol=0, atol=1e-15)
    np.testing.assert_allclose(integral(np.exp, np.array([1.0, -2.0])), np.exp([1.0, -2.0]) - 1, rtol=1e-14)
