from .inference.ecdf import ks_and_wasserstein as ks_and_wasserstein
from .inference.partitions import nmi as nmi
from .inference.roc import auc as auc
from .inference.roc import cluster_replicates as cluster_replicates
from .inference.roc import roc as roc
from .inference.statistics import (
    Interval as Interval,
)
from .inference.statistics import (
    bootstrap as bootstrap,
)
from .inference.statistics import (
    ceiled as ceiled,
)
from .inference.statistics import (
    fdr as fdr,
)
from .inference.statistics import (
    interval as interval,
)
from .inference.statistics import (
    permutation_p as permutation_p,
)
from .inference.statistics import (
    spearman_brown as spearman_brown,
)
from .inference.statistics import (
    split_half as split_half,
)
from .measures.graphs.dyads import dyadic_correlation as dyadic_correlation
from .measures.graphs.organisation import (
    characteristic_path_length as characteristic_path_length,
)
from .measures.graphs.organisation import (
    clustering as clustering,
)
from .measures.graphs.organisation import (
    find_communities as find_communities,
)
from .measures.graphs.organisation import (
    graphlets as graphlets,
)
from .measures.graphs.organisation import (
    modularity as modularity,
)
from .measures.graphs.organisation import (
    motifs as motifs,
)
from .measures.graphs.organisation import (
    rich_club as rich_club,
)
from .measures.graphs.organisation import (
    small_world as small_world,
)
from .measures.graphs.reservoir import memory_capacity as memory_capacity
from .measures.graphs.reservoir import timing_task as timing_task
from .measures.graphs.structure import (
    agreement as agreement,
)
from .measures.graphs.structure import (
    function_given_structure as function_given_structure,
)
from .measures.populations.correlations import (
    by_distance as by_distance,
)
from .measures.populations.correlations import (
    noise_correlation as noise_correlation,
)
from .measures.populations.correlations import (
    signal_correlation as signal_correlation,
)
from .measures.populations.covariance import (
    covariance_spectrum as covariance_spectrum,
)
from .measures.populations.covariance import (
    participation_ratio as participation_ratio,
)
from .measures.populations.covariance import (
    participation_ratio_of_counts as participation_ratio_of_counts,
)
from .measures.populations.covariance import (
    spectral_radius as spectral_radius,
)
from .measures.populations.covariance import (
    spectral_radius_of_covariance as spectral_radius_of_covariance,
)
from .measures.populations.decoding import decode_across as decode_across
from .measures.populations.decoding import decode_within as decode_within
from .measures.populations.pairwise import pairwise as pairwise
from .measures.populations.pairwise import pairwise_summary as pairwise_summary
from .measures.populations.tuning import (
    circular_variance as circular_variance,
)
from .measures.populations.tuning import (
    dsi as dsi,
)
from .measures.populations.tuning import (
    osi as osi,
)
from .measures.populations.tuning import (
    preferred as preferred,
)
from .measures.populations.tuning import (
    reliability as reliability,
)
from .measures.populations.tuning import (
    signal_to_noise as signal_to_noise,
)
from .measures.representations.crossnobis import crossnobis as crossnobis
from .measures.representations.kernel_analysis import kernel_analysis as kernel_analysis
from .measures.representations.mantel import rsa_permutation as rsa_permutation
from .measures.representations.object_manifolds import (
    capacity as capacity,
)
from .measures.representations.object_manifolds import (
    few_shot_snr as few_shot_snr,
)
from .measures.representations.object_manifolds import (
    manifold_capacity as manifold_capacity,
)
from .measures.representations.rdm import (
    noise_ceiling as noise_ceiling,
)
from .measures.representations.rdm import (
    pseudo_depth as pseudo_depth,
)
from .measures.representations.rdm import (
    rdm as rdm,
)
from .measures.representations.rdm import (
    rsa as rsa,
)
from .measures.representations.rdm import (
    ssm as ssm,
)
from .measures.representations.similarity import (
    cca as cca,
)
from .measures.representations.similarity import (
    cca_mean as cca_mean,
)
from .measures.representations.similarity import (
    cka as cka,
)
from .measures.representations.similarity import (
    procrustes as procrustes,
)
from .measures.representations.similarity import (
    pwcca as pwcca,
)
from .measures.representations.similarity import (
    rv as rv,
)
from .measures.representations.similarity import (
    svcca as svcca,
)
from .measures.representations.topology import (
    geo_topological as geo_topological,
)
from .measures.representations.topology import (
    geodesic as geodesic,
)
from .measures.representations.topology import (
    mds as mds,
)
from .measures.representations.topology import (
    persistence as persistence,
)
from .measures.representations.topology import (
    trsa as trsa,
)
from .measures.representations.unit_matching import (
    many_to_many as many_to_many,
)
from .measures.representations.unit_matching import (
    match_units as match_units,
)
from .measures.representations.unit_matching import (
    sparse_prediction as sparse_prediction,
)
from .measures.spikes.branching import branching_ratio as branching_ratio
from .measures.spikes.bursts import bursts as bursts
from .measures.spikes.bursts import network_bursts as network_bursts
from .measures.spikes.criticality import (
    avalanches as avalanches,
)
from .measures.spikes.criticality import (
    crackling as crackling,
)
from .measures.spikes.criticality import (
    power_law as power_law,
)
from .measures.spikes.criticality import (
    quasicriticality as quasicriticality,
)
from .measures.spikes.criticality import (
    shape_collapse as shape_collapse,
)
from .measures.spikes.criticality import (
    susceptibility as susceptibility,
)
from .measures.spikes.train_distances import (
    isi_distance as isi_distance,
)
from .measures.spikes.train_distances import (
    spike_distance as spike_distance,
)
from .measures.spikes.train_distances import (
    van_rossum as van_rossum,
)
from .measures.spikes.train_distances import (
    victor_purpura as victor_purpura,
)
from .measures.spikes.train_statistics import (
    cv as cv,
)
from .measures.spikes.train_statistics import (
    cv2 as cv2,
)
from .measures.spikes.train_statistics import (
    fano as fano,
)
from .measures.spikes.train_statistics import (
    lempel_ziv as lempel_ziv,
)
from .measures.spikes.train_statistics import (
    lv as lv,
)
from .measures.spikes.train_statistics import (
    per_unit as per_unit,
)
from .measures.spikes.train_statistics import (
    rate as rate,
)
from .measures.spikes.train_statistics import (
    synchrony as synchrony,
)
from .measures.tensors.affinity import (
    affinities as affinities,
)
from .measures.tensors.affinity import (
    communities as communities,
)
from .measures.tensors.affinity import (
    dynamic_connectome as dynamic_connectome,
)
from .measures.tensors.decomposition import (
    factor_similarity as factor_similarity,
)
from .measures.tensors.decomposition import (
    ntf as ntf,
)
from .measures.tensors.decomposition import (
    rank_scan as rank_scan,
)
from .measures.tensors.decomposition import (
    reconstruct as reconstruct,
)
from .measures.tensors.decomposition import (
    tca as tca,
)
