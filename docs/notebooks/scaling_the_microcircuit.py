# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Scaling the microcircuit
#
# The model of Potjans & Diesmann 2014 has 77,169 neurons. What does a smaller one keep? Weights and drive are adjusted so that the
# mean and the variance of the input of a neuron stay as they are; the correlations between neurons do not.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from allometry import models, simulate, stores
from allometry.compare import cv

sizes = [0.05, 0.1]
folder = Path(tempfile.mkdtemp())

# %%
runs = {
    size: simulate.run(models.microcircuit(scale=size), duration_ms=1000, seed=1, store=folder / f"size_{size}.zarr")
    for size in sizes
}
for size, spikes in runs.items():
    print(f"{size}: {spikes.sizes['unit']:,} neurons, {spikes.sizes['spike']:,} spikes")

# %% [markdown]
# Rates of the populations, after a start of 100 ms.

# %%
populations = list(dict.fromkeys(runs[sizes[0]]["population"].values.tolist()))


def rates(spikes):
    """Spikes per second of each population."""
    trains = stores.trains(spikes, window=(0.1, 1.0))
    of_unit = np.array([len(train) for train in trains]) / 0.9
    return np.array([of_unit[(spikes["population"] == name).values].mean() for name in populations])


table = {size: rates(spikes) for size, spikes in runs.items()}
fig, ax = plt.subplots(figsize=(5.5, 3.2))
for size, values in table.items():
    ax.plot(populations, values, "o-", label=f"size {size}")
ax.set(ylabel="spikes/s", ylim=(0, None))
ax.legend(frameon=False)
fig.tight_layout()

# %% [markdown]
# Irregularity of the intervals between spikes. One second holds few of them, which makes it come out low, for both sizes alike.

# %%
for size, spikes in runs.items():
    intervals = [np.diff(train) for train in stores.trains(spikes) if len(train) > 5]
    found = [cv(one) for one in intervals]
    print(f"size {size}: median CV of {len(found)} neurons {np.median(found):.2f}")

# %% [markdown]
# A study does this for any sizes, seeds and conditions, holds every statistic against the largest size with an interval, and fits
# laws: the page [Scaling](../scaling.md), and `config/scaling.yaml`.
