# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Mouse areas
#
# How alike are the connections between the areas of two mouse brains, and does the strain of a mouse show in them? Wang et al. 2020
# followed the fibres of 32 mice of four strains by diffusion imaging, between 332 regions. Twelve of these mice, three of each strain, are
# enough here. Their files arrive inside a package from PyPI; in the checkout, with this as `mice.yaml`,
#
# ```yaml
# homogenize:
#   connectome:
#     - mouse_dti_54776
#     - mouse_dti_54777
#     - mouse_dti_54779
#     - mouse_dti_54790
#     - mouse_dti_54793
#     - mouse_dti_54794
#     - mouse_dti_54811
#     - mouse_dti_54813
#     - mouse_dti_54815
#     - mouse_dti_54821
#     - mouse_dti_54823
#     - mouse_dti_54842
# ```
#
# `allometry run mice.yaml homogenize` makes the stores. Every mouse that is in `results` takes part below.

# %%
import os
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import rankdata

from allometry import stores
from allometry.compare import find_communities, nmi

results = Path(os.environ.get("ALLOMETRY_RESULTS", "results"))
paths = sorted((results / "homogenized" / "connectome").glob("mouse_dti_*.zarr"))
mice = [stores.open(path) for path in paths]
strains = np.array([stores.attribute(mouse, "parameters")["genotype"] for mouse in mice])
print(f"{len(mice)} mice; strains: {', '.join(sorted(set(strains)))}")

# %% [markdown]
# Streamlines between regions, as matrices on the same regions. Their numbers span orders of magnitude, so that they are compared by
# their ranks.

# %%
regions, _ = stores.to_dense(mice[0], "structural")
matrices = np.array([stores.to_dense(mouse, "structural")[1] for mouse in mice])
upper = np.triu_indices(len(regions), 1)
alike = np.corrcoef(rankdata(matrices[:, upper[0], upper[1]], axis=1))
pairs = list(combinations(range(len(mice)), 2))
between_mice = np.array([alike[pair] for pair in pairs])
print(f"rank correlation of two mice: {between_mice.min():.2f} to {between_mice.max():.2f}")

# %% [markdown]
# Are mice of one strain more alike than mice of two? The labels of the mice are permuted, not the pairs: a pair shares its mice with others.


# %%
def advantage(labels):
    """Mean similarity of pairs within a strain less that of pairs between two."""
    within = np.array([labels[i] == labels[j] for i, j in pairs])
    return between_mice[within].mean() - between_mice[~within].mean()


rng = np.random.default_rng(1)
found = advantage(strains)
null = np.array([advantage(rng.permutation(strains)) for _ in range(999)])
p = (1 + np.sum(null >= found)) / (1 + len(null))
print(f"within a strain {found:+.3f}; permuted strains {np.percentile(null, [2.5, 97.5]).round(3)}; p = {p:.3f}")

# %%
order = np.argsort(strains, kind="stable")
fig, ax = plt.subplots(figsize=(4.6, 3.8))
shown = ax.imshow(np.where(np.eye(len(mice)), np.nan, alike)[np.ix_(order, order)], cmap="viridis")
ax.set_xticks(range(len(mice)), strains[order], rotation=90)
ax.set_yticks(range(len(mice)), strains[order])
fig.colorbar(shown, label="rank correlation of all connections")
fig.tight_layout()

# %% [markdown]
# Which areas are wired alike in all mice, and which are not? The connections of one area, correlated over all pairs of mice.


# %%
def of_area(area):
    """Mean rank correlation of the connections of an area, over pairs of mice."""
    rows = np.delete(matrices[:, area], area, axis=1)
    profile = np.corrcoef(rankdata(rows, axis=1))
    return np.mean([profile[pair] for pair in pairs])


score = np.array([of_area(area) for area in range(len(regions))])
ranked = np.argsort(score)
print("most alike: " + ", ".join(f"{regions[area]} {score[area]:.2f}" for area in ranked[::-1][:5]))
print("least alike: " + ", ".join(f"{regions[area]} {score[area]:.2f}" for area in ranked[:5]))

# %% [markdown]
# Do the areas fall into groups, and are these the known parts of the brain? Communities of the mean connectome, against the part of the brain
# and against the hemisphere that each region lies in. Normalised mutual information is 0 for unrelated partitions, and 1 for equal ones.

# %%
communities = find_communities(matrices.mean(axis=0), seed=1).astype(str)
part, hemisphere = mice[0]["type"].values, mice[0]["hemisphere"].values
print(f"{len(set(communities))} communities")
print(f"with parts of the brain {nmi(communities, part):.2f}, with hemispheres {nmi(communities, hemisphere):.2f}")

# %% [markdown]
# Tractography finds long and crossing fibres badly, and its counts grow with the size of a region: what is alike may be anatomy, or
# the method that all mice share. What a comparison of connectomes can tell is on the page [What measures can
# tell](../measures-tell.md).
