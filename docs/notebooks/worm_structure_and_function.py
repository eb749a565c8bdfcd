# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Worm: structure and function
#
# Does the wiring of *C. elegans* say which neurons respond when another one is driven? The anatomy is that of Cook et al. 2019, the
# responses are those of Randi et al. 2023. Both are stores that `make run` leaves in `results/`; this notebook runs in any
# folder, with `ALLOMETRY_RESULTS` as the way to them.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from allometry import stores
from allometry.compare import auc

results = Path(os.environ.get("ALLOMETRY_RESULTS", "results"))
folder = results / "homogenized" / "connectome"
anatomy = stores.open(folder / "cook2019_hermaphrodite.zarr")
function = stores.open(folder / "randi2023_wt.zarr")
anatomy

# %% [markdown]
# Matrices are [source, target]. A pair that was not measured is NaN in the functional one, and no connection.

# %%
names, chemical = stores.to_dense(anatomy, "chemical")
_, electrical = stores.to_dense(anatomy, "electrical")
recorded, q = stores.to_dense(function, "functional", variable="q")
shared = [name for name in recorded if name in set(names)]
of_anatomy = [list(names).index(name) for name in shared]
of_function = [list(recorded).index(name) for name in shared]
weight = (chemical + electrical)[np.ix_(of_anatomy, of_anatomy)]
q = q[np.ix_(of_function, of_function)]
print(f"{len(shared)} neurons are in both; {np.isfinite(q).sum():,} pairs were measured")

# %% [markdown]
# A pair responds where its false discovery rate is below 0.05. How well does the number of synapses tell those pairs?

# %%
measured = np.isfinite(q) & ~np.eye(len(shared), dtype=bool)
responds = q[measured] < 0.05
direct = auc(weight[measured], responds)
print(f"{responds.sum():,} of {responds.size:,} pairs respond; AUC of the synapses {direct:.3f} (chance: 0.5)")

# %% [markdown]
# Nearly all pairs that respond have no synapse at all. The number of steps between them says more: the shortest path over
# any connection.

# %%
from scipy.sparse.csgraph import shortest_path

steps = shortest_path((weight > 0).astype(float), unweighted=True)
far = np.where(np.isfinite(steps), steps, len(shared))
by_path = auc(-far[measured], responds)
print(f"AUC of the path length {by_path:.3f}")

# %%
lengths = np.arange(1, 6)
share = [responds[far[measured] == length].mean() for length in lengths]
fig, ax = plt.subplots(figsize=(5, 3.2))
ax.bar(lengths, share, color="#0072B2")
ax.set(xlabel="steps from the driven to the responding neuron", ylabel="share of pairs that respond")
fig.tight_layout()

# %% [markdown]
# `results/compared/worm_structure_function.zarr` has the same question with nulls, intervals and a verdict beside the strongest
# baseline, of which path length is one.
