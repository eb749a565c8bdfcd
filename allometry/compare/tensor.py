"""Tensors of activity: TCA, NTF and the dynamic functional connectome (public names of the family).

Decompositions are in `decomposition.py`, the out-of-core algorithm in `hals.py`, affinities and communities in `dynamic.py`.
"""

from allometry.compare.decomposition import Factors, RankScan, ntf, rank_scan, reconstruct, similarity, tca
from allometry.compare.dynamic import DynamicConnectome, affinities, communities, dynamic_connectome
from allometry.compare.hals import ntf_blockwise

__all__ = [
    "DynamicConnectome",
    "Factors",
    "RankScan",
    "affinities",
    "communities",
    "dynamic_connectome",
    "ntf",
    "ntf_blockwise",
    "rank_scan",
    "reconstruct",
    "similarity",
    "tca",
]
