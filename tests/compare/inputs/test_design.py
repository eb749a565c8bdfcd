"""Oracle: the arrays that the stores were made from."""

import numpy as np
import pandas as pd
import pytest

from allometry import stores
from allometry.compare.inputs.design import populations
from allometry.errors import ComparisonError
from tests.compare.responses import ATTRS, directions, make_responses, population

RNG = np.random.default_rng(1)
VALUES = RNG.normal(size=(8, 4, 6)).astype(np.float32).astype(float)


def test_a_store_becomes_the_array_it_was_made_from() -> None:
    values = VALUES.copy()
    values[2, 3] = np.nan  # shown three times only
    found = population(values, {"direction": directions(8)})
    np.testing.assert_array_equal(found.responses, values)
    assert found.repeats.tolist() == [4, 4, 3, 4, 4, 4, 4, 4]
    assert not found.balanced
    assert found.means[2] == pytest.approx(values[2, :3].mean(axis=0))
    angle = found.angles()
    assert angle is not None
    assert angle[0] == "direction"
    assert angle[1] == pytest.approx(2 * np.pi * np.arange(8) / 8)


def test_orientation_of_a_drifting_grating_is_its_direction() -> None:
    store = make_responses(VALUES, {"orientation": directions(8)})
    (found,) = populations("x", store, by=["direction"])
    np.testing.assert_array_equal(found.responses, VALUES)
    static = make_responses(VALUES, {"orientation": [22.5 * k for k in range(8)]}, kind="static_gratings")
    (found,) = populations("x", static, by=["orientation"])
    angle = found.angles()
    assert angle is not None
    assert angle[0] == "orientation"
    assert "direction" not in found.stimuli


def test_presentations_are_pooled_over_what_is_not_named() -> None:
    parameters = {"direction": [0.0, 0, 90, 90, 180, 180, 270, 270], "temporal_frequency": [1.0, 2] * 4}
    store = make_responses(VALUES, parameters)
    (found,) = populations("x", store, by=["direction"])
    assert found.responses.shape == (4, 8, 6)
    assert np.isnan(found.stimuli["temporal_frequency"]).all()
    # in order of time: block by block
    np.testing.assert_array_equal(found.responses[1], VALUES[2:4].swapaxes(0, 1).reshape(8, 6))
    (found,) = populations("x", store)
    assert found.responses.shape == (8, 4, 6)
    assert found.angles() is None
    assert found.stimuli["label"].tolist()[:2] == ["0 / 1", "0 / 2"]


def test_a_column_of_a_models_own_makes_stimuli() -> None:
    store = make_responses(VALUES, {"direction": directions(8), "cue": [0.0, 0.0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3]})
    (found,) = populations("x", store, by=["cue"])
    assert found.responses.shape == (4, 8, 6)
    assert found.stimuli["cue"].tolist() == [0.0, 0.1, 0.2, 0.3]
    assert found.stimuli["label"].tolist() == ["0", "0.1", "0.2", "0.3"]


def test_areas_are_told_apart_and_small_ones_left_out() -> None:
    values = RNG.normal(size=(4, 3, 14))
    area = ["V1"] * 6 + ["LM"] * 5 + ["AL"] * 2 + [""]
    store = make_responses(values, {"direction": directions(4)}, units={"area": area})
    found = populations("x", store)
    assert {p.name: len(p.units) for p in found} == {"x LM": 5, "x V1": 6}
    assert [p.responses.shape[2] for p in populations("x", store, areas=False)] == [14]


def test_lags_are_averaged_over_the_stimulus_and_invalid_presentations_left_out() -> None:
    lag = np.array([-1.0, 0.0, 1.0, 2.0])
    values = RNG.normal(size=(5, 12, 4)).astype(np.float32)
    table = pd.DataFrame(
        {
            "stimulus": "drifting_gratings",
            "condition": [f"c{k % 4}" for k in range(12)],
            "duration": 2.0,
            "direction": [90.0 * (k % 4) for k in range(12)],
            "invalid": [k == 0 for k in range(12)],
        }
    )
    store = stores.responses(values, table, pd.DataFrame(index=range(5)), lag_s=lag, attrs=ATTRS)
    (found,) = populations("x", store)
    assert found.repeats.tolist() == [2, 3, 3, 3]
    np.testing.assert_allclose(found.responses[1, 0], values[:, 1, 1:3].mean(axis=1), rtol=1e-6)
    assert any("invalid" in note for note in found.notes)


def test_units_that_lack_a_presentation_are_left_out() -> None:
    values = VALUES.copy()
    values[1, 2, 4] = np.nan
    found = population(values, {"direction": directions(8)})
    assert found.units.tolist() == ["0", "1", "2", "3", "5"]
    assert "1 units that lack" in found.notes[-1]


def test_blanks_are_a_stimulus_where_they_are_wanted() -> None:
    store = make_responses(VALUES, {"direction": [*directions(7), np.nan]})
    store["blank"] = ("presentation", np.isnan(store["direction"].values))
    (without,) = populations("x", store)
    (found,) = populations("x", store, by=["direction"], blanks=True)
    assert (len(without.stimuli), len(found.stimuli)) == (7, 8)
    assert found.stimuli["blank"].sum() == 1
    assert found.angles() is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stimulus": "flashes"}, "no stimulus 'flashes'"),
        ({"by": ["contrast"]}, "no contrast"),
        ({"fewest_repeats": 5}, "0 stimuli were shown at least 5 times"),
    ],
)
def test_what_a_store_does_not_have_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ComparisonError, match=message):
        populations("x", make_responses(VALUES, {"direction": directions(8)}), **options)  # type: ignore[arg-type]


def test_few_units_and_several_stimuli_are_refused() -> None:
    with pytest.raises(ComparisonError, match="4 units"):
        population(VALUES[:, :, :4], {"direction": directions(8)})
    store = make_responses(VALUES, {"direction": directions(8)})
    store["stimulus"] = ("presentation", np.array(["a", "b"] * 16, dtype=np.dtypes.StringDType()))
    with pytest.raises(ComparisonError, match="2 kinds of stimulus"):
        populations("x", store)
