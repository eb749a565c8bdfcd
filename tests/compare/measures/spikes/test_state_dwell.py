"""Stays that were planted are found, and their mean is that of the chain that made them."""

import numpy as np
import pytest

from allometry.compare.measures.spikes.state_dwell import state_dwell
from allometry.errors import ComparisonError


def test_planted_stays_are_found_one_by_one() -> None:
    groups = np.array([0, 0, 1, 1, -1])
    counts = np.zeros((10, 5), int)
    counts[2:5, :2] = 3  # 30 Hz for 0.3 s
    counts[0:2, 2:4] = 2  # cut by the start
    counts[7:10, 2:4] = 2  # and by the end
    counts[5, 2:4] = 2
    counts[:, 4] = 50  # of no group
    found = state_dwell(counts, groups)
    assert found.group.tolist() == [0, 1, 1, 1]
    np.testing.assert_allclose(found.dwell_s, [0.3, 0.2, 0.1, 0.3])
    assert found.cut.tolist() == [False, True, False, True]
    assert found.active.tolist() == [1, 1, 1, 1, 1, 1, 0, 1, 1, 1]
    # 0.9 s of activity, of which two ends were seen
    assert found.mean_dwell_s == pytest.approx(0.45)
    assert found.mean_active == pytest.approx(0.9)
    # 10 Hz is not above 10 Hz
    assert state_dwell(np.ones((4, 2), int), [0, 0]).group.size == 0
    assert np.isnan(state_dwell(np.full((4, 2), 9), [0, 0]).mean_dwell_s)


def test_mean_dwell_is_that_of_a_chain_whatever_is_cut() -> None:
    rng = np.random.default_rng(3)
    leave, enter, bins, number = 0.1, 0.05, 60, 400
    on = np.zeros((bins, number), bool)
    on[0] = rng.random(number) < enter / (enter + leave)
    for k in range(1, bins):
        on[k] = np.where(on[k - 1], rng.random(number) >= leave, rng.random(number) < enter)
    counts = np.repeat(np.where(on, 4, 0), 3, axis=1)
    found = state_dwell(counts, np.repeat(np.arange(number), 3))
    # 1 / leave bins of 0.1 s. Four standard errors of a geometric number of bins, and that the last bin has no next one
    ends = int((~found.cut).sum())
    assert ends > 400
    assert found.mean_dwell_s == pytest.approx(0.1 / leave, rel=4 / np.sqrt(ends) + 1 / bins)
    assert found.mean_active == pytest.approx(number * enter / (enter + leave), rel=0.1)
    # the mean of the stays that are whole is too short: long ones are cut
    assert found.dwell_s[~found.cut].mean() < 0.1 / leave


@pytest.mark.parametrize(
    ("counts", "groups", "given"),
    [
        (np.ones((3, 2), int), [0], {}),
        (np.ones((3, 2), int), [-1, -1], {}),
        (np.ones((3, 2), int), [0.5, 1.0], {}),
        (np.ones((0, 2), int), [0, 1], {}),
        (np.ones((3, 2), int), [0, 1], {"bin_s": 0.0}),
        (np.ones((3, 2), int), [0, 1], {"threshold_hz": np.nan}),
    ],
)
def test_what_has_no_states_is_refused(counts: np.ndarray, groups: list[float], given: dict[str, float]) -> None:
    with pytest.raises(ComparisonError):
        state_dwell(counts, groups, **given)
