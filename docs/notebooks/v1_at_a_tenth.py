# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # V1 at a tenth of the density
#
# The model of layer 4C-alpha of the macaque has 36,000 cells. With a tenth of them, and in-degrees reduced as well, it still answers
# drifting gratings. Two orientations are shown here; which cells prefer one of them?

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from allometry import models, simulate, stores
from allometry.models.v1 import reduced

folder = Path(tempfile.mkdtemp())
arguments = reduced(0.1, "in_degree")
orientations = [0.0, 90.0]
duration_ms = 500
print(arguments)

# %%
shown = {
    degrees: simulate.run(
        models.v1(**arguments, orientation_deg=degrees),
        duration_ms=duration_ms,
        seed=1,
        store=folder / f"grating_{degrees:g}.zarr",
    )
    for degrees in orientations
}
for degrees, spikes in shown.items():
    print(f"{degrees:g} degrees: {spikes.sizes['unit']:,} cells, {spikes.sizes['spike']:,} spikes")

# %% [markdown]
# Spikes per second of every cortical cell, for each orientation. The first 100 ms are left out.

# %%
first = shown[orientations[0]]
cortical = [name for name in dict.fromkeys(first["population"].values.tolist()) if name in ("E", "I")]
cells = np.isin(first["population"].values.astype(object), cortical)
seconds = duration_ms / 1000 - 0.1
rates = np.array(
    [
        [len(train) / seconds for train in stores.trains(spikes, cells, window=(0.1, duration_ms / 1000))]
        for spikes in shown.values()
    ]
)
for degrees, row in zip(orientations, rates):
    print(f"{degrees:g} degrees: mean {row.mean():.1f} spikes/s, {np.mean(row > 0):.0%} of the cells answer")

# %% [markdown]
# The difference of the two answers over their sum is 1 for a cell that answers 0 degrees alone, and -1 for one that answers 90
# degrees alone.

# %%
active = rates.sum(axis=0) > 0
preference = (rates[0] - rates[1])[active] / rates.sum(axis=0)[active]
fig, ax = plt.subplots(figsize=(5, 3.2))
ax.hist(preference, bins=np.linspace(-1, 1, 31), color="#0072B2")
ax.set(xlabel="(0° - 90°) / (0° + 90°)", ylabel="cells")
fig.tight_layout()
print(
    f"{active.sum():,} cells, median {np.median(preference):+.2f}, quartiles {np.percentile(preference, [25, 75]).round(2)}"
)
