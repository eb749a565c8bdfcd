"""The regression finds the coefficients, and the saturation, that made the spikes."""

from dataclasses import replace

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.scale.coarse.pixels import CLASSES, OWN
from allometry.scale.coarse.regression import Sample, fit, joined, with_gains_of
from allometry.scale.coarse.responses import Table

DURATION_S = 4.0


@pytest.fixture(scope="module")
def true() -> Table:
    return Table(
        np.linspace(1.0, 2.0, CLASSES),
        np.tile([0.2, 0.4, -0.1, -5.0, 0.0], (CLASSES, 1)),
        np.tile([0.4, -0.15], (CLASSES, 1)),
        np.tile([15.0, 50.0], (CLASSES, 1)),
        3.0,
    )


@pytest.fixture(scope="module")
def sample(true: Table) -> Sample:
    draws = np.random.default_rng(1)
    n = 20000
    classes = draws.integers(0, CLASSES, n)
    columns = [draws.normal(0, 0.3, n), draws.uniform(0, 2, n), draws.uniform(0, 4, n), draws.uniform(-0.1, 0.1, n)]
    own = np.stack([*columns, columns[3] ** 2], axis=1)
    drives = np.stack([draws.normal(15, 1.5, n), draws.normal(50, 4.0, n)], axis=1)
    rate = true.rate(true.own_drive(classes, own) + true.network_drive(classes, drives))
    return Sample(draws.poisson(DURATION_S * rate), classes, own, drives, DURATION_S)


def test_coefficients_and_saturation_are_found(true: Table, sample: Sample) -> None:
    """Each class has 2,200 cells of some 20 spikes: standard errors of gains are below .006 and .003."""
    found = fit(sample)
    assert found.saturation == pytest.approx(true.saturation, rel=0.1)
    assert found.gain[:, 0] == pytest.approx(true.gain[:, 0], abs=0.025)
    assert found.gain[:, 1] == pytest.approx(true.gain[:, 1], abs=0.012)
    assert found.own[:, :3].mean(axis=0) == pytest.approx(true.own[0, :3], abs=0.06)
    assert found.own[:, 3].mean() == pytest.approx(true.own[0, 3], abs=0.4)  # thresholds differ by a tenth at most
    # at what the cells have on average, rates are those of the truth
    middle = np.tile([0.0, 1.0, 2.0, 0.0, 0.0], (CLASSES, 1))
    at = found.own_drive(np.arange(CLASSES), middle) + found.network_drive(np.arange(CLASSES), true.centre)
    assert at == pytest.approx(true.own_drive(np.arange(CLASSES), middle), abs=0.06)


def test_the_exponential_alone_misses_what_saturates(true: Table, sample: Sample) -> None:
    """The gain at the mean is smaller than at few spikes, by the slope of log(1 + x) in log x."""
    found = fit(sample, saturation=1e9)
    assert (found.gain[:, 0] < 0.9 * true.gain[:, 0]).all()


def test_biases_are_fitted_to_what_is_known(true: Table, sample: Sample) -> None:
    """Counts are matched, class by class, with the gains of another table on drives that are off by a tenth."""
    off = replace(sample, drives=1.1 * sample.drives)
    found = with_gains_of(true, off)
    assert np.array_equal(found.gain, true.gain)
    rate = found.rate(found.own_drive(off.lgn_inputs, off.own) + found.network_drive(off.lgn_inputs, off.drives))
    for n in range(CLASSES):
        of = sample.lgn_inputs == n
        assert DURATION_S * rate[of].sum() == pytest.approx(sample.spikes[of].sum(), rel=0.02)


def test_samples_are_joined_and_silence_is_refused(sample: Sample) -> None:
    both = joined([sample, sample])
    assert len(both.spikes) == 2 * len(sample.spikes)
    assert both.own.shape == (2 * len(sample.spikes), len(OWN))
    with pytest.raises(SimulationError, match="no cell fired"):
        fit(replace(sample, spikes=np.zeros_like(sample.spikes)))
