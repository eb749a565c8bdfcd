"""Planted components are found, chosen and predicted; trials that units share by chance are not."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import stores
from allometry.compare.kinds.trial_components import trial_components
from allometry.compare.measures.tensors.held_out import held_out_share, shuffled_trials
from allometry.errors import ComparisonError
from tests.stores.samples import ATTRS

UNITS, TIMES, TRIALS = 24, 12, 16


def planted(seed: int, together: bool = True, rank: int = 2) -> tuple[np.ndarray, list[np.ndarray]]:
    """Poisson counts [unit, time, trial] of `rank` groups of units with a time course, and their factors."""
    rng = np.random.default_rng(seed)
    unit = np.zeros((UNITS, rank))
    unit[np.arange(UNITS), np.arange(UNITS) % rank] = rng.uniform(0.5, 1.5, UNITS)
    time = np.exp(-0.5 * ((np.arange(TIMES)[:, None] - np.linspace(3, 9, rank)) / 1.5) ** 2)
    trial = rng.gamma(1.0, 1.0, (TRIALS, rank))
    rate = 6.0 * np.einsum("ur,tr,kr->utk", unit, time, trial) + 0.3
    if not together:
        rate = shuffled_trials(rate, rng)
    return rng.poisson(rate).astype(float), [unit, time, trial]


def store(counts: np.ndarray) -> xr.Dataset:
    shown = pd.DataFrame({"stimulus": "tone", "condition": ["tone"] * counts.shape[2]})
    return stores.responses(
        counts.transpose(0, 2, 1),
        shown,
        pd.DataFrame(index=range(len(counts))),
        lag_s=np.arange(TIMES) * 0.1,
        attrs=ATTRS,
    )


def spikes(counts: np.ndarray, trial: int, **changed: object) -> xr.Dataset:
    """A simulated trial with these counts in bins of 25 ms."""
    unit, at, _ = np.nonzero(np.ones(counts[:, :, trial].shape)[..., None])
    number = counts[unit, at, trial].astype(int)
    step = np.repeat(at * 250, number) + np.concatenate([np.arange(n) for n in number])
    owner = np.repeat(unit, number)
    order = np.lexsort((owner, step))
    return stores.spikes_simulated(
        step[order],
        owner[order],
        dt_ms=0.1,
        units=pd.DataFrame({"population": ["E"] * len(counts)}),
        duration_ms=25.0 * TIMES,
        attrs={**ATTRS, "seed": 1, "parameters": {"model": "m", "condition": {"name": f"trial_{trial}"}, **changed}},
    )


def test_planted_components_are_chosen_predicted_and_recovered() -> None:
    counts, (unit, time, trial) = planted(1)
    result = trial_components({"a": store(counts)}, responses=["a"], components=[1, 2, 5], nulls=19, seed=2)
    first, baseline, control = result.rows
    assert first["components"] == 2
    assert first["p"] == 1 / 20
    assert first["score"] > 0.4 > baseline["score"]
    assert control["score"] > 0.9
    found = result.curves["factors_0"]
    for mode, planted_mode in (("unit_factor", unit), ("time_factor", time), ("trial_factor", trial)):
        alike = np.abs(np.corrcoef(found[mode].values.T, planted_mode.T)[:2, 2:])
        # of Poisson counts of about one spike per entry
        assert max(alike[0, 0] + alike[1, 1], alike[0, 1] + alike[1, 0]) > 1.85, mode


def test_simulated_trials_are_the_conditions_of_one_network() -> None:
    counts, _ = planted(3)
    inputs = {f"trial_{k}_s1_0a": spikes(counts, k) for k in range(TRIALS)}
    options = {"components": [2], "nulls": 19, "skip_ms": 0.0, "seed": 2}
    result = trial_components(inputs, simulated=["run"], **options)
    same = trial_components({"a": store(counts)}, responses=["a"], **options)
    assert result.rows[0]["candidate"] == "s1_0a"
    assert result.rows[0]["n"] == TRIALS
    # the same counts, whichever way they come
    assert result.rows[0]["score"] == pytest.approx(same.rows[0]["score"], rel=1e-9)
    few = dict(list(inputs.items())[:3])
    with pytest.raises(ComparisonError, match="has 3 trials"):
        trial_components(few, simulated=["run"], **options)
    with pytest.raises(ComparisonError, match="no population is called 'I'"):
        trial_components(inputs, simulated=["run"], populations=["I"], **options)


def test_a_perfect_model_predicts_all_and_noise_nothing() -> None:
    _, (unit, time, trial) = planted(4)
    clean = np.einsum("ur,tr,kr->utk", unit, time, trial)
    # the sweeps end before the last digits
    assert held_out_share(clean, 2) == pytest.approx(1.0, abs=0.01)
    noise = np.random.default_rng(5).poisson(2.0, clean.shape).astype(float)
    assert held_out_share(noise, 1) < 0.05


def test_what_cannot_be_decomposed_is_refused() -> None:
    counts, _ = planted(6)
    with pytest.raises(ComparisonError, match="at least 4 trials"):
        held_out_share(counts[:, :, :3], 1)
    with pytest.raises(ComparisonError, match="negative values"):
        trial_components({"a": store(counts - 1)}, responses=["a"])
    with pytest.raises(ComparisonError, match="no lags"):
        trial_components({"a": store(counts).isel(lag=0)}, responses=["a"])


@pytest.mark.slow
def test_p_is_uniform_where_units_do_not_change_together() -> None:
    p = [
        trial_components(
            {"a": store(planted(100 + k, together=False)[0])}, responses=["a"], components=[1, 2], nulls=19, seed=k
        ).rows[0]["p"]
        for k in range(60)
    ]
    # 60 tests at 5 %: more than 8 has probability 0.004
    assert sum(value <= 0.05 for value in p) <= 8
    assert 0.35 < np.mean(p) < 0.7
