"""Every form of the benchmark holds the same spikes, and every one of them arrives."""

import numpy as np
import pytest

from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from benchmarks import homogenize_spikes as benchmark


@pytest.mark.parametrize("form", sorted(benchmark.FORMS))
def test_every_spike_of_every_form_arrives(form, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "UNITS", 7)
    monkeypatch.setattr(benchmark, "STEP", 100)
    spikes = 700
    reader, write = benchmark.FORMS[form]
    paths = write(tmp_path, spikes)
    dataset = READERS[reader]({path.name: path for path in paths}, Source("big", own=True), {}, "spikes")
    assert dataset.sizes["unit"] == 7
    assert dataset["row_size"].values.tolist() == [100] * 7
    expected = (np.arange(100)[None] * 7 + np.arange(7)[:, None]) * (benchmark.SECONDS / spikes)
    tolerance = 0.6 / benchmark.RATE if form == "phy" else 1e-9
    np.testing.assert_allclose(dataset["spike_time"].values, expected.ravel(), atol=tolerance)
    if form == "phy":
        assert dataset["y"].values.tolist() == [20.0 * unit for unit in range(7)]
