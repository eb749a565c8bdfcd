"""A condition changes what a model's stimulus decides, and nothing else; another stimulus is another trial."""

from typing import Any

import pytest

from allometry.errors import SimulationError
from allometry.models import build
from allometry.simulate.check.validate import check_condition
from allometry.simulate.point import record_of
from allometry.simulate.stimuli import model_condition, shown, with_own_seed

SMALL: dict[str, Any] = {"reduction": 90.0, "x_ee": 1.1}


def test_a_stimulus_is_that_of_the_network_built_with_it() -> None:
    net = build("v1", SMALL)
    stimulus = {"orientation_deg": 45.0, "contrast": 0.4}
    condition = model_condition("v1", SMALL, "oblique", {"stimulus": stimulus, "seed": 5})
    check_condition(net, condition)
    direct = build("v1", {**SMALL, **stimulus})
    found = condition.applied(net).to_dict(digest=True)
    assert found["inputs"] == direct.to_dict(digest=True)["inputs"] != net.to_dict(digest=True)["inputs"]
    assert found["projections"] == direct.to_dict(digest=True)["projections"]
    assert condition.seed == 5


def test_what_is_no_stimulus_is_refused() -> None:
    with pytest.raises(SimulationError, match="contrst is no stimulus of the model v1") as error:
        model_condition("v1", SMALL, "x", {"stimulus": {"contrst": 1.0}})
    assert error.value.where == "conditions.x.stimulus"
    assert "perhaps 'contrast'" in error.value.do
    with pytest.raises(SimulationError, match="x_ee is no stimulus"):
        model_condition("v1", SMALL, "x", {"stimulus": {"x_ee": 1.0}})
    with pytest.raises(SimulationError) as error:
        model_condition("brunel", {}, "x", {"stimulus": {"g": 4.0}})
    assert error.value.expected == "none: brunel has no stimulus"


def test_what_is_shown_has_every_parameter() -> None:
    found = shown("v1", {"frequency_hz": 8.0}, {"stimulus": {"contrast": 0.5}})
    assert found == {
        "orientation_deg": 0.0, "contrast": 0.5, "cycles_per_degree": 2.5, "frequency_hz": 8.0, "layer6_depth": 0.5,
    }  # fmt: skip
    assert shown("brunel", {}, None) == {}


def test_another_stimulus_has_noise_of_its_own() -> None:
    one, two = ({"name": name, "stimulus": {"contrast": 1.0}, "seed": None} for name in ("a", "b"))
    seeds = {with_own_seed(entry, seed)["seed"] for entry in (one, two) for seed in (1, 2)}
    assert len(seeds) == 4
    assert with_own_seed(one, 1) == with_own_seed(one, 1)
    assert with_own_seed({**one, "seed": 3}, 1)["seed"] == 3
    assert with_own_seed({"name": "a", "seed": None, "rate_factors": {"E": 0.5}}, 1)["seed"] is None


def test_probes_are_the_first_neurons_or_spread_and_spikes_those_of_chosen_populations() -> None:
    net = build("v1", SMALL)
    record = record_of(net, {"voltage": {"E": 3}, "states": ["g_gaba"], "spread": True, "populations": ["E", "I"]})
    assert [(p.variable, p.neurons.tolist()) for p in record.probes] == [
        ("V_m", [50, 150, 250]),
        ("g_gaba", [50, 150, 250]),
    ]
    kept = record.recorded(net)
    assert kept.sum() == 400
    assert kept[:400].all()
    assert record_of(net, {"voltage": {"E": 3}}).probes[0].neurons.tolist() == [0, 1, 2]
