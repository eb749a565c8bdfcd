"""Network models: builders of declarative networks, and mean-field theory."""

from allometry.models.brunel import brunel
from allometry.models.catalogue.records import MODELS, Model, model
from allometry.models.clustered import clustered
from allometry.models.connectome_lif import connectome_lif
from allometry.models.culture import culture
from allometry.models.efficient_coding import efficient_coding
from allometry.models.graph import Graph
from allometry.models.microcircuit import microcircuit
from allometry.models.multi_area import multi_area
from allometry.models.rates import low_rank_timing, thalamocortical_motifs
from allometry.models.registry import build, fit
from allometry.models.spatial_balanced import spatial_balanced
from allometry.models.v1 import v1

__all__ = [
    "MODELS",
    "Graph",
    "Model",
    "brunel",
    "build",
    "clustered",
    "connectome_lif",
    "culture",
    "efficient_coding",
    "fit",
    "low_rank_timing",
    "microcircuit",
    "model",
    "multi_area",
    "spatial_balanced",
    "thalamocortical_motifs",
    "v1",
]
