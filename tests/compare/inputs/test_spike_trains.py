"""Oracle: `stores.trains` of the whole store, which reads everything at once."""

from pathlib import Path

import numpy as np
import pytest

from allometry import stores
from allometry.compare.inputs import spike_trains as subject
from allometry.errors import ComparisonError
from tests.compare.spike_trains import gamma_trains, recorded, simulated

RATES = np.linspace(1, 30, 12)
POPULATIONS = ["E"] * 8 + ["I"] * 4


@pytest.mark.parametrize("order", ["time", "unit"])
@pytest.mark.parametrize("chunk", [7, 10**6])
def test_chunks_of_both_orders_give_the_trains_of_the_store(
    order: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "CHUNK", chunk)
    drawn = gamma_trains(RATES, 3.0, 1)
    made = simulated(drawn, 3.0, POPULATIONS) if order == "time" else recorded(drawn, [(0, 3)], POPULATIONS)
    store = stores.open(stores.write(made, tmp_path / "spikes.zarr"))
    wanted = {"E": np.array([5, 0, 7]), "all": np.array([11, 5]), "none": np.zeros(0, np.int64)}
    found = subject.read(store, wanted, 0.5, 2.5)
    whole = stores.trains(store, window=(0.5, 2.5))
    for name, units in wanted.items():
        expected = [whole[i] - 0.5 for i in units]
        assert found[name].row_size.tolist() == [train.size for train in expected]
        assert found[name].times == pytest.approx(np.concatenate([np.zeros(0), *expected]))
        assert found[name].duration_s == 2.0
    first = found["E"].first(1)
    assert first.times == pytest.approx(whole[5] - 0.5)


def test_counts_equal_numpy_histograms() -> None:
    store = simulated(gamma_trains(RATES, 3.0, 2), 3.0, POPULATIONS)
    trains = subject.read(store, {"all": np.arange(12)}, 0.0, 2.95)["all"]
    counts = trains.counts(0.1).toarray()
    assert counts.shape == (29, 12)  # the last bin is not whole
    steps, units = store["spike_step"].values, store["spike_unit"].values
    for unit in range(12):
        expected, _ = np.histogram(steps[units == unit] * 0.0001 + 1e-9, np.arange(30) * 0.1)
        assert counts[:, unit].tolist() == expected.tolist()
    assert trains.pooled(0.1).tolist() == counts.sum(axis=1).tolist()


def test_a_sample_is_random_and_its_parts_are_the_same_for_every_size() -> None:
    units = np.arange(1000)
    chosen = subject.choose(units, 100, 3, "E")
    assert len(set(chosen.tolist())) == 100
    assert subject.choose(units, 20, 3, "E").tolist() == chosen[:20].tolist()
    assert subject.choose(units, 100, 4, "E").tolist() != chosen.tolist()
    assert subject.choose(units, 100, 3, "I").tolist() != chosen.tolist()
    assert abs(chosen.mean() - 499.5) < 4 * 288.7 / 10
    assert subject.choose(units[:7], 100, 3, "E").size == 7


def test_warm_up_is_left_out_of_simulations_and_the_longest_interval_taken_of_recordings() -> None:
    drawn = gamma_trains(RATES, 3.0, 3)
    assert subject.window(simulated(drawn, 3.0, POPULATIONS), 500) == (0.5, 3.0)
    assert subject.window(recorded(drawn, [(0, 1), (1.2, 3.0)], POPULATIONS), 500) == (1.2, 3.0)
    with pytest.raises(ComparisonError, match="all of which is warm-up"):
        subject.window(simulated(drawn, 3.0, POPULATIONS), 3000)


def test_populations_by_label_and_all_units() -> None:
    found = subject.members(simulated(gamma_trains(RATES, 3.0, 1), 3.0, POPULATIONS))
    assert list(found) == ["E", "I", "all"]
    assert found["I"].tolist() == [8, 9, 10, 11]
    assert found["all"].size == 12
