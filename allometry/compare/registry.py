"""What each measure is: what it needs, what it does not see, what it is for, and what bounds it.

The table is explicit, and functions are named rather than imported, so that editing one family reruns only what uses it.
"""

import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allometry.errors import ComparisonError


@dataclass(frozen=True)
class Measure:
    """One measure of the suite.

    Parameters
    ----------
    name, version : str
        Name in configurations and `Scores`; the version changes when its numbers do.
    module : str
        Module below `allometry.compare`.
    function : str
        Public function of that module.
    inputs : str
        What it takes, with shapes.
    invariances : str
        Changes of the data that leave it as it is.
    use : str
        The question it is meant to answer.
    ceiling_rule : str
        Rule of `statistics.ceiled`: reliability, correlation, ratio, auc or none.
    reference : str
        Paper that defines it.
    """

    name: str
    version: str
    module: str
    function: str
    inputs: str
    invariances: str
    use: str
    ceiling_rule: str
    reference: str

    def load(self) -> Callable[..., Any]:
        """Import the module and return the function."""
        return getattr(importlib.import_module(f"allometry.compare.{self.module}"), self.function)

    @property
    def scale(self) -> "Scale | None":
        """Which way the score is good, for verdicts; None of a measure that is not the score of a result."""
        return SCALES.get(self.name)

    @property
    def family(self) -> str:
        """Room of `compare.measures`, or kind of comparison, that the measure belongs to."""
        return self.module.split(".")[1]


@dataclass(frozen=True)
class Scale:
    """Which way a score is good, and what difference of it does not matter.

    Parameters
    ----------
    larger : bool
        Whether a larger score is better; of a distance a smaller one is.
    margin : float
        An advantage over a baseline up to this does not matter, in units of the score: a verdict of *no better* says that
        the advantage is at most that.
    descriptive : bool
        The score describes, and is neither good nor bad: verdicts are read as *more than* and *less than*.
    """

    larger: bool
    margin: float
    descriptive: bool = False


def measure(name: str) -> Measure:
    """Entry of the measure called `name`, or an error with the nearest known names."""
    if name not in MEASURES:
        near = difflib.get_close_matches(name, MEASURES, n=3, cutoff=0.3)
        raise ComparisonError(
            f"there is no measure called {name!r}",
            expected="one of " + ", ".join(near or sorted(MEASURES)),
            do="list them all with: python -m allometry.compare.registry",
        )
    return MEASURES[name]


_RESPONSES = "responses [stimuli, units] of both systems, same stimuli"
_RDMS = "two RDMs [pairs], condensed upper triangles"
_COUNTS = "spike counts [bins, units]"
_TRAIN = "inter-spike intervals of one unit, ms or s"
_GRAPHS = "two weighted directed graphs with node labels"
_ROTATION = "rotation and isotropic scaling of unit space, permutation of units"
_RANK = "monotonic transformation of dissimilarities, order of units"

# One row per measure reads better than eleven lines per measure.
# name, version, module, function, inputs, invariances, use, ceiling rule, reference
_TABLE: list[tuple[str, str, str, str, str, str, str, str, str]] = [
    # -- representation --------------------------------------------------------------------------------------------
    ("rdm", "2", "measures.representations.rdm", "rdm", "responses [stimuli, units]", "order of units; correlation: offset and scale of each stimulus' pattern",
     "describe a representation by the dissimilarities of its stimuli", "none", "Kriegeskorte et al. 2008, Front. Syst. Neurosci. 2:4"),
    ("crossnobis", "2", "measures.representations.crossnobis", "crossnobis", "responses [stimuli, repeats, units]", "order and offset of units, drift between folds; with whitening the scale of each unit",
     "unbiased dissimilarities from noisy repeats (mean 0 on noise)", "none", "Walther et al. 2016, NeuroImage 137:188"),
    ("rsa", "1", "measures.representations.rdm", "rsa", _RDMS, _RANK, "do two systems tell the same stimuli apart?", "correlation",
     "Kriegeskorte et al. 2008; Nili et al. 2014, PLoS Comput. Biol. 10:e1003553"),
    ("noise_ceiling", "1", "measures.representations.rdm", "noise_ceiling", "RDMs [subjects, pairs]", "order of subjects and of stimuli; monotonic transformation of each RDM (pearson: linear)",
     "which rsa could the true model reach, given how much subjects differ?", "none", "Nili et al. 2014, PLoS Comput. Biol. 10:e1003553"),
    ("ssm", "1", "measures.representations.rdm", "ssm", _RESPONSES, "order of units; offset and scale of each stimulus' pattern; monotonic transformation of similarities",
     "match model layers with brain areas (pseudo-depth)", "correlation", "Shi et al. 2019, NeurIPS 32"),
    ("cca", "1", "measures.representations.similarity", "cca", _RESPONSES, "invertible linear maps of either side, offset of each unit", "which correlations do the shared directions of two systems have?", "ratio",
     "Hotelling 1936, Biometrika 28:321"),
    ("svcca", "1", "measures.representations.similarity", "svcca", _RESPONSES, "rotation and isotropic scaling of either unit space, permutation of units", "do two systems span the same subspace?", "ratio",
     "Raghu et al. 2017, NeurIPS 30"),
    ("pwcca", "1", "measures.representations.similarity", "pwcca", _RESPONSES, "invertible linear maps of y; order of the units of x and a common scale, not rotation of x", "as svcca, with directions weighted by what they explain", "ratio",
     "Morcos et al. 2018, NeurIPS 31"),
    ("cka", "1", "measures.representations.similarity", "cka", _RESPONSES, _ROTATION, "similarity of geometry, corrected for the number of units", "ratio",
     "Kornblith et al. 2019, ICML; Song et al. 2012, JMLR 13:1393 (debiased HSIC)"),
    ("rv", "1", "measures.representations.similarity", "rv", _RESPONSES, _ROTATION, "similarity of geometry as a correlation of matrices; grows with the number of units, which cka corrects", "ratio",
     "Robert & Escoufier 1976, Appl. Stat. 25:257; Smilde et al. 2009, Bioinformatics 25:401 (modified)"),
    ("procrustes", "1", "measures.representations.similarity", "procrustes", _RESPONSES, _ROTATION, "distance of shapes after the best rotation", "ratio",
     "Williams et al. 2021, NeurIPS 34"),
    ("kernel_analysis", "1", "measures.representations.kernel_analysis", "kernel_analysis", "responses [stimuli, units], labels [stimuli]", _ROTATION,
     "how simple a decoder does a representation allow?", "ratio", "Cadieu et al. 2013, arXiv:1301.3530"),
    ("match_units", "1", "measures.representations.unit_matching", "match_units", _RESPONSES, "permutation and scaling of units, not rotation", "do two systems share single units?", "correlation",
     "Li et al. 2015, arXiv:1511.07543"),
    ("sparse_prediction", "1", "measures.representations.unit_matching", "sparse_prediction", _RESPONSES, "offset and scale, of either sign, of units; not rotation", "is a unit of one system a sum of few units of another?", "ratio",
     "Li et al. 2015, arXiv:1511.07543"),
    ("many_to_many", "1", "measures.representations.unit_matching", "many_to_many", _RESPONSES + ", number of clusters", "offset and scale, of either sign, of units; not rotation", "which groups of units do two systems share?", "none",
     "Li et al. 2015, arXiv:1511.07543"),
    # -- topology --------------------------------------------------------------------------------------------------
    ("geo_topological", "1", "measures.representations.topology", "geo_topological", "RDM [pairs], two quantiles", _RANK, "compare neighbourhoods rather than distances", "correlation",
     "Lin & Kriegeskorte 2023, arXiv:2309.11028"),
    ("trsa", "1", "measures.representations.topology", "trsa", _RDMS + ", two quantiles", _RANK, "do two systems agree on which stimuli are neighbours?", "correlation",
     "Lin & Kriegeskorte 2023, arXiv:2309.11028"),
    ("geodesic", "1", "measures.representations.topology", "geodesic", "RDM [pairs], threshold", "isometry", "distances along the manifold", "correlation",
     "Lin & Kriegeskorte 2023, arXiv:2309.11028"),
    ("persistence", "1", "measures.representations.topology", "persistence", "RDM [pairs]", "isometry", "rings and voids of a representation", "none", "Bauer 2021, J. Appl. Comput. Topol. 5:391"),
    # -- manifold --------------------------------------------------------------------------------------------------
    ("capacity", "1", "measures.representations.object_manifolds", "capacity", "manifolds: list of [points, units]", "rotation of unit space", "how many object manifolds can a linear read-out tell apart?", "none",
     "Chung, Lee & Sompolinsky 2018, Phys. Rev. X 8:031003"),
    ("manifold_capacity", "1", "measures.representations.object_manifolds", "manifold_capacity", "one manifold [points, D + 1] in units of its centre's norm, the centre's axis last",
     "order of points, points inside the hull of the others", "capacity, radius and dimension of one manifold in its own coordinates, as theory states them", "none",
     "Chung, Lee & Sompolinsky 2018, Phys. Rev. X 8:031003"),
    ("few_shot_snr", "1", "measures.representations.object_manifolds", "few_shot_snr", "two manifolds [points, units], number of examples", "rotation and scaling of unit space",
     "prototype learning from few examples", "none", "Sorscher, Ganguli & Sompolinsky 2022, PNAS 119:e2200800119"),
    # -- decoding --------------------------------------------------------------------------------------------------
    ("decoding_within", "1", "measures.populations.decoding", "decode_within", "responses [stimuli, repeats, units], repeat k is block k", "order of units",
     "what does one animal's activity tell about the stimulus?", "none", "Quian Quiroga & Panzeri 2009, Nat. Rev. Neurosci. 10:173"),
    ("decoding_across", "1", "measures.populations.decoding", "decode_across", "responses [stimuli, repeats, units] of two animals, the same stimuli", "rotation of unit space (alignment)",
     "does a decoder of one animal work in another?", "ratio", "Safaie et al. 2023, Nature 623:765"),
    # -- correlations ----------------------------------------------------------------------------------------------
    ("pairwise", "1", "measures.populations.pairwise", "pairwise", _COUNTS, "offset and scale of each unit", "how much do units fluctuate together?", "none", "Cohen & Kohn 2011, Nat. Neurosci. 14:811"),
    ("pairwise_summary", "1", "measures.populations.pairwise", "pairwise_summary", _COUNTS, "offset and scale of each unit, order of units and of bins", "distribution of pairwise correlations where the pairs are too many to hold", "none", "Cohen & Kohn 2011, Nat. Neurosci. 14:811"),
    ("by_distance", "1", "measures.populations.correlations", "by_distance", "correlations, positions", "rotation and translation of space", "spatial reach of correlation", "none",
     "Smith & Kohn 2008, J. Neurosci. 28:12591"),
    ("signal_correlation_corrected", "1", "measures.populations.correlations", "signal_correlation", "responses [stimuli, repeats, units]", "offset and scale of each unit; on average what units share in a trial",
     "are units tuned alike? (noise subtracted rather than kept apart by halves)", "none", "Cohen & Kohn 2011, Nat. Neurosci. 14:811; covariance between groups of a one-way analysis of variance"),
    ("spectral_radius", "1", "measures.populations.covariance", "spectral_radius", _COUNTS + ", population size", "scale of counts", "how near is the network to its linear instability?", "none",
     "Dahmen et al. 2019, PNAS 116:13051"),
    ("spectral_radius_of_covariance", "1", "measures.populations.covariance", "spectral_radius_of_covariance", "covariance [units, units], population size, number of windows", "scale of counts, order of units", "as spectral_radius, where the covariance is known (exactly, or from so many windows)", "none",
     "Dahmen et al. 2019, PNAS 116:13051"),
    ("covariance_spectrum", "1", "measures.populations.covariance", "covariance_spectrum", _COUNTS, "offset of each unit, rotation of unit space, order of bins", "how is variance spread over dimensions?", "none",
     "Hu & Sompolinsky 2022, PLoS Comput. Biol. 18:e1010327"),
    ("participation_ratio", "2", "measures.populations.covariance", "participation_ratio", "covariance [units, units]", _ROTATION, "effective dimension of activity", "none",
     "Gao et al. 2017, bioRxiv 214262"),
    ("participation_ratio_of_counts", "2", "measures.populations.covariance", "participation_ratio_of_counts", _COUNTS, "offset of each unit; " + _ROTATION, "effective dimension of more units than a covariance matrix can hold", "none",
     "Gao et al. 2017, bioRxiv 214262"),
    # -- criticality -----------------------------------------------------------------------------------------------
    ("avalanches", "1", "measures.spikes.criticality", "avalanches", "counts [bins]", "none", "sizes and durations of cascades", "none", "Beggs & Plenz 2003, J. Neurosci. 23:11167"),
    ("power_law", "2", "measures.spikes.criticality", "power_law", "avalanche sizes", "scale of sizes above xmin", "exponent and its rivals", "none", "Clauset et al. 2009, SIAM Rev. 51:661"),
    ("branching_ratio", "4", "measures.spikes.branching", "branching_ratio", "population activity [bins]", "subsampling of units", "how near to critical?", "none",
     "Wilting & Priesemann 2018, Nat. Commun. 9:2325"),
    ("crackling", "1", "measures.spikes.criticality", "crackling", "avalanches, as `avalanches` finds them", "order of avalanches", "do the exponents of size and duration predict how size grows with duration?", "none",
     "Sethna et al. 2001, Nature 410:242; Friedman et al. 2012, Phys. Rev. Lett. 108:208102"),
    ("shape_collapse", "1", "measures.spikes.criticality", "shape_collapse", "avalanches, as `avalanches` finds them", "order of avalanches, scale of activity", "do avalanches of all durations have one shape?", "none",
     "Friedman et al. 2012, Phys. Rev. Lett. 108:208102; Marshall et al. 2016, Front. Physiol. 7:250"),
    ("susceptibility", "1", "measures.spikes.criticality", "susceptibility", _COUNTS, "order of units and of bins, further spikes of a unit in a bin", "how much does the share of active units fluctuate?", "none",
     "Williams-García et al. 2014, Phys. Rev. E 90:062714"),
    ("quasicriticality", "1", "measures.spikes.criticality", "quasicriticality", "spike counts [bins, units] of several runs, drive [runs]", "order of runs, order of units", "at which drive, and which branching ratio, is susceptibility greatest?", "none",
     "Williams-García et al. 2014, Phys. Rev. E 90:062714; Fosque et al. 2021, Phys. Rev. Lett. 126:098101"),
    # -- spikestats ------------------------------------------------------------------------------------------------
    ("rate", "1", "measures.spikes.train_statistics", "rate", "spike times of one unit, window", "order of spikes, shift of spikes and window", "how often does a unit fire?", "none", "Dayan & Abbott 2001, Theoretical Neuroscience, section 1.2 (spike-count rate)"),
    ("cv", "1", "measures.spikes.train_statistics", "cv", _TRAIN, "scale of time", "irregularity of a train", "none", "Softky & Koch 1993, J. Neurosci. 13:334"),
    ("cv2", "1", "measures.spikes.train_statistics", "cv2", _TRAIN, "scale of time, slow changes of rate", "irregularity where the rate drifts", "none", "Holt et al. 1996, J. Neurophysiol. 75:1806"),
    ("lv", "1", "measures.spikes.train_statistics", "lv", _TRAIN, "scale of time, slow changes of rate", "irregularity where the rate drifts", "none", "Shinomoto et al. 2003, Neural Comput. 15:2823"),
    ("per_unit", "1", "measures.spikes.train_statistics", "per_unit", "spike times, unit after unit, number of each unit's spikes, duration", "shift of time; scale of time (irregularity)", "rate, cv, cv2 and lv of all units in one pass", "none",
     "Holt et al. 1996, J. Neurophysiol. 75:1806; Shinomoto et al. 2003, Neural Comput. 15:2823"),
    ("fano", "1", "measures.spikes.train_statistics", "fano", "counts [windows] or [windows, units]", "none", "variability across repeats", "none", "Fano 1947, Phys. Rev. 72:26"),
    ("synchrony", "1", "measures.spikes.train_statistics", "synchrony", _COUNTS, "order of units", "variance of the population count over that of independent units", "none",
     "Potjans & Diesmann 2014, Cereb. Cortex 24:785"),
    ("bursts", "1", "measures.spikes.bursts", "bursts", "spike times of one unit, longest interval inside a burst", "order of spikes, shift of time", "does a unit fire in bursts, and which share of its spikes?", "none",
     "Cotterill et al. 2016, J. Neurophysiol. 116:306 (MaxInterval)"),
    ("network_bursts", "1", "measures.spikes.bursts", "network_bursts", _COUNTS, "order of units", "when do many units fire much more than on average?", "none",
     "Bakkum et al. 2014, Front. Comput. Neurosci. 7:193 (threshold on the rate of the network); share of units: this project"),
    ("victor_purpura", "1", "measures.spikes.train_distances", "victor_purpura", "two spike trains, cost per time", "shift of both trains", "distance of trains", "none",
     "Victor & Purpura 1996, J. Neurophysiol. 76:1310"),
    ("van_rossum", "1", "measures.spikes.train_distances", "van_rossum", "two spike trains, time constant", "shift of both trains", "distance of trains", "none", "van Rossum 2001, Neural Comput. 13:751"),
    ("isi_distance", "1", "measures.spikes.train_distances", "isi_distance", "two spike trains, window", "shift and scale of time, exchange of the two", "do two trains have the same rate at every moment?", "none",
     "Kreuz et al. 2007, J. Neurosci. Methods 165:151"),
    ("spike_distance", "1", "measures.spikes.train_distances", "spike_distance", "two spike trains, window", "shift and scale of time, exchange of the two", "do two trains spike at the same times? (no time scale to choose)", "none",
     "Kreuz et al. 2013, J. Neurophysiol. 109:1457"),
    ("lempel_ziv", "1", "measures.spikes.train_statistics", "lempel_ziv", "binary sequence", "none", "complexity of activity", "none", "Lempel & Ziv 1976, IEEE Trans. Inf. Theory 22:75"),
    # -- spiking activity against spiking activity --------------------------------------------------------------------
    ("rate_ks", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of rates [units]", "order of units; monotonic transformation of both", "do two populations fire at the same rates?", "none", "Kolmogorov-Smirnov distance; Massey 1951, J. Am. Stat. Assoc. 46:68"),
    ("rate_wasserstein", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of rates [units]", "order of units; shift of both", "do two populations fire at the same rates? (in their unit)", "none", "Wasserstein distance; Vallender 1974, Theory Probab. Appl. 18:784"),
    ("cv_ks", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of CVs [units]", "order of units; monotonic transformation of both", "are two populations equally irregular?", "none", "Kolmogorov-Smirnov distance; Massey 1951, J. Am. Stat. Assoc. 46:68"),
    ("cv_wasserstein", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of CVs [units]", "order of units; shift of both", "are two populations equally irregular? (in their unit)", "none", "Wasserstein distance; Vallender 1974, Theory Probab. Appl. 18:784"),
    ("lv_ks", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of LVs [units]", "order of units; monotonic transformation of both", "are two populations equally irregular, slow changes of rate aside?", "none", "Kolmogorov-Smirnov distance; Massey 1951, J. Am. Stat. Assoc. 46:68"),
    ("lv_wasserstein", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of LVs [units]", "order of units; shift of both", "are two populations equally irregular, slow changes of rate aside? (in their unit)", "none", "Wasserstein distance; Vallender 1974, Theory Probab. Appl. 18:784"),
    ("correlation_ks", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of pairwise correlations [pairs]", "order of units; monotonic transformation of both", "do pairs of units fluctuate together as much?", "none", "Kolmogorov-Smirnov distance; Massey 1951, J. Am. Stat. Assoc. 46:68"),
    ("correlation_wasserstein", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of pairwise correlations [pairs]", "order of units; shift of both", "do pairs of units fluctuate together as much? (in their unit)", "none", "Wasserstein distance; Vallender 1974, Theory Probab. Appl. 18:784"),
    ("osi_ks", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of selectivity indices [units]", "order of units; monotonic transformation of both", "are two populations equally selective for orientation?", "none", "Kolmogorov-Smirnov distance; Massey 1951, J. Am. Stat. Assoc. 46:68"),
    ("osi_wasserstein", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of selectivity indices [units]", "order of units; shift of both", "are two populations equally selective for orientation? (in their unit)", "none", "Wasserstein distance; Vallender 1974, Theory Probab. Appl. 18:784"),
    ("avalanche_size_ks", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of sizes of avalanches [avalanches]", "order of units; monotonic transformation of both", "do cascades have the same sizes?", "none", "Kolmogorov-Smirnov distance; Massey 1951, J. Am. Stat. Assoc. 46:68"),
    ("avalanche_size_wasserstein", "1", "inference.ecdf", "ks_and_wasserstein", "two sets of sizes of avalanches [avalanches]", "order of units; shift of both", "do cascades have the same sizes? (in their unit)", "none", "Wasserstein distance; Vallender 1974, Theory Probab. Appl. 18:784"),
    ("spectrum_distance", "1", "kinds.spike_statistics.distances", "decibel_distance", "two power spectra [frequencies]", "order of units; mean rate (power is relative to Poisson units)", "do two populations oscillate alike?", "none",
     "root mean square log spectral distance; Gray & Markel 1976, IEEE Trans. ASSP 24:380"),
    ("peak_frequency_difference", "1", "kinds.spike_statistics.profile", "of_spikes", "population counts [bins] of two stores", "order of units; mean rate", "is the strongest rhythm the same?", "none", "Brunel 2000, J. Comput. Neurosci. 8:183"),
    ("synchrony_difference", "1", "measures.spikes.train_statistics", "synchrony", "population counts [bins] of two stores", "order of units", "is the population equally synchronous?", "none", "Potjans & Diesmann 2014, Cereb. Cortex 24:785"),
    ("branching_ratio_difference", "4", "measures.spikes.branching", "branching_ratio", "population activity [bins] of two stores", "subsampling of units", "does activity outlast its cause equally long?", "none", "Wilting & Priesemann 2018, Nat. Commun. 9:2325"),
    ("avalanche_exponent_difference", "2", "measures.spikes.criticality", "power_law", "avalanche sizes of two stores", "scale of sizes above xmin", "do the tails of cascade sizes fall alike?", "none", "Clauset et al. 2009, SIAM Rev. 51:661"),
    # -- tuning ----------------------------------------------------------------------------------------------------
    ("osi", "2", "measures.populations.tuning", "osi", "rates [angles, units], angles", "scale of rates, rotation of stimuli", "orientation selectivity", "ratio", "Ringach et al. 2002, J. Neurosci. 22:5639"),
    ("dsi", "1", "measures.populations.tuning", "dsi", "rates [angles, units], angles", "scale of rates, rotation of stimuli", "direction selectivity", "ratio", "Mazurek et al. 2014, Front. Neural Circuits 8:92"),
    ("circular_variance", "2", "measures.populations.tuning", "circular_variance", "rates [angles, units], angles", "scale of rates, rotation of stimuli", "breadth of tuning", "ratio",
     "Ringach et al. 2002, J. Neurosci. 22:5639"),
    ("preferred", "1", "measures.populations.tuning", "preferred", "rates [angles, units], angles", "scale and offset of rates; turns with the stimuli", "which orientation and direction does a unit prefer?", "none", "Mazurek et al. 2014, Front. Neural Circuits 8:92"),
    ("signal_to_noise", "1", "measures.populations.tuning", "signal_to_noise", "responses [stimuli, repeats, units]", "offset and scale of each unit, order of stimuli and of repeats", "how large is tuning beside the variability of a single trial?", "none",
     "Sahani & Linden 2003, NeurIPS 15 (signal power over noise power)"),
    # -- tensor ----------------------------------------------------------------------------------------------------
    ("tca", "1", "measures.tensors.decomposition", "tca", "array [units, time, trials], rank", "order within each mode", "low-dimensional dynamics across trials", "none", "Williams et al. 2018, Neuron 98:1099"),
    ("ntf", "1", "measures.tensors.decomposition", "ntf", "non-negative array, rank", "order within each mode", "parts of a non-negative tensor", "none", "Cichocki & Phan 2009, IEICE Trans. E92-A:708"),
    ("rank_scan", "1", "measures.tensors.decomposition", "rank_scan", "array of three or more modes, ranks", "scale of the array", "how many components does a tensor have?", "none", "Williams et al. 2018, Neuron 98:1099"),
    ("affinities", "1", "measures.tensors.affinity", "affinities", "traces [time, neurons]", "offset and scale of each trace", "which neurons change together, and when?", "none",
     "Dyballa et al. 2024, arXiv:2402.14102"),
    ("dynamic_connectome", "1", "measures.tensors.affinity", "dynamic_connectome", "traces [time, neurons] of each animal, rank", "order of animals", "groups of neurons that couple at the same times", "none",
     "Dyballa et al. 2024, arXiv:2402.14102"),
    # -- structure -------------------------------------------------------------------------------------------------
    ("function_given_structure", "1", "measures.graphs.structure", "function_given_structure", "edge weights and signal propagation (value, q) per ordered pair",
     "monotonic transformation of weights (AUC)", "do connected neurons influence each other?", "auc", "Randi et al. 2023, Nature 623:406"),
    ("agreement", "1", "measures.graphs.structure", "agreement", _GRAPHS, "scale of weights (monotonic for the rank correlation)", "do two annotations find the same connections?", "ratio",
     "Witvliet et al. 2021, Nature 596:257"),
    ("modularity", "1", "measures.graphs.organisation", "modularity", "weighted graph [nodes, nodes], communities", "scale of weights, order of nodes", "does the graph fall into groups?", "none",
     "Newman & Girvan 2004, Phys. Rev. E 69:026113; Traag et al. 2019, Sci. Rep. 9:5233 (Leiden)"),
    ("find_communities", "1", "measures.graphs.organisation", "find_communities", "weighted graph [nodes, nodes]", "scale of weights", "into which groups does a graph fall?", "none", "Traag et al. 2019, Sci. Rep. 9:5233 (Leiden)"),
    ("clustering", "1", "measures.graphs.organisation", "clustering", "graph [nodes, nodes]", "order of nodes, weights and directions of edges", "how many of a node's neighbours are neighbours?", "none", "Watts & Strogatz 1998, Nature 393:440"),
    ("characteristic_path_length", "1", "measures.graphs.organisation", "characteristic_path_length", "graph [nodes, nodes]", "order of nodes, weights and directions of edges", "how many edges lie between two nodes?", "none", "Watts & Strogatz 1998, Nature 393:440"),
    ("small_world", "1", "measures.graphs.organisation", "small_world", "graph [nodes, nodes]", "order of nodes", "clustered and short at once, against degree-preserving nulls?", "none",
     "Humphries & Gurney 2008, PLoS One 3:e2051"),
    ("rich_club", "1", "measures.graphs.organisation", "rich_club", "graph [nodes, nodes]", "order of nodes", "do hubs prefer hubs?", "none", "Colizza et al. 2006, Nat. Phys. 2:110"),
    ("motifs", "1", "measures.graphs.organisation", "motifs", "directed graph [nodes, nodes]", "order of nodes", "which three-neuron circuits are more frequent than chance?", "none",
     "Milo et al. 2002, Science 298:824"),
    ("graphlets", "1", "measures.graphs.organisation", "graphlets", "graph [nodes, nodes]", "order of nodes, weights and directions of edges", "of which small subgraphs is a graph made?", "none",
     "Pržulj et al. 2004, Bioinformatics 20:3508; Wernicke 2006, IEEE/ACM Trans. Comput. Biol. Bioinform. 3:347 (enumeration)"),
    # -- comparisons of the workflow: rows of their Scores -----------------------------------------------------------
    ("influence_auc", "1", "measures.graphs.structure", "function_given_structure", "a score and q per measured ordered pair", "monotonic transformation of the score",
     "does anatomy, or activity simulated on it, tell which neuron influences which?", "auc", "Randi et al. 2023, Nature 623:406"),
    ("influence_auc_indirect", "1", "inference.roc", "cluster_replicates", "a score and q per measured pair without an edge", "monotonic transformation of the score",
     "does simulation tell influences that no direct edge explains?", "none", "Randi et al. 2023, Nature 623:406"),
    ("influence_auc_gain", "1", "inference.roc", "cluster_replicates", "two scores and q per measured ordered pair", "monotonic transformation of either score",
     "is a simulation better than the edge weight, the path length or the degrees alone?", "none", "DeLong et al. 1988, Biometrics 44:837 (paired AUC); here by resampling neurons"),
    ("influence_given_edge", "1", "measures.graphs.structure", "function_given_structure", "edges and q per measured ordered pair", "weights of edges", "how often does a connected neuron respond?", "none", "Randi et al. 2023, Nature 623:406"),
    ("influence_without_edge", "1", "measures.graphs.structure", "function_given_structure", "edges and q per measured ordered pair", "weights of edges", "how often does an unconnected neuron respond?", "none", "Randi et al. 2023, Nature 623:406"),
    ("influence_ratio", "1", "measures.graphs.structure", "function_given_structure", "edges and q per measured ordered pair", "weights of edges", "how many times as often does a connected neuron respond?", "none", "Randi et al. 2023, Nature 623:406"),
    ("weight_response_correlation", "1", "measures.graphs.structure", "function_given_structure", "weight and response per measured edge", "monotonic transformation of either", "do stronger edges give larger responses?", "none", "Randi et al. 2023, Nature 623:406"),
    ("edge_recall", "1", "measures.graphs.structure", "agreement", _GRAPHS, "weights of edges", "which share of the reference's edges does the candidate have?", "none", "Witvliet et al. 2021, Nature 596:257"),
    ("edge_precision", "1", "measures.graphs.structure", "agreement", _GRAPHS, "weights of edges", "which share of the candidate's edges does the reference confirm?", "none", "Witvliet et al. 2021, Nature 596:257"),
    ("edge_jaccard", "1", "measures.graphs.structure", "agreement", _GRAPHS, "weights of edges, exchange of the two", "which share of all edges do both have?", "none", "Witvliet et al. 2021, Nature 596:257"),
    ("weight_rank_correlation", "2", "measures.graphs.structure", "agreement", _GRAPHS, "monotonic transformation of either's weights, exchange of the two", "do shared edges have similar strength?", "none", "Cook et al. 2019, Nature 571:63"),
    ("structure_bold_correlation", "2", "kinds.structure_bold", "structure_bold_correlation", "structural [regions, regions], BOLD [time, regions]", "monotonic transformation of either matrix",
     "does the white matter predict functional connectivity?", "correlation", "Honey et al. 2009, PNAS 106:2035"),
    ("activity_structure_correlation", "2", "measures.graphs.dyads", "dyadic_correlation", "two symmetric matrices [nodes, nodes]", "monotonic transformation of either matrix",
     "do connected neurons, or neurons with common input, fluctuate together?", "correlation", "Uzel et al. 2022, Curr. Biol. 32:3443"),
    ("tuned_share", "1", "kinds.population_code.statistics", "tuned", "responses [stimuli, repeats, units], angles", "scale of rates, rotation of stimuli",
     "how many units are tuned beyond their own shuffles?", "none", "Mazurek et al. 2014, Front. Neural Circuits 8:92"),
    ("reliability", "2", "measures.populations.tuning", "reliability", "responses [stimuli, repeats, units]", "offset and scale of each unit", "how much of a unit's tuning comes back with other repeats?", "none",
     "Spearman 1910, Br. J. Psychol. 3:271; Brown 1910, Br. J. Psychol. 3:296"),
    ("signal_correlation", "2", "kinds.population_code.statistics", "signal_correlation", "responses [stimuli, repeats, units]", "offset and scale of each unit", "are units tuned alike?", "none",
     "Cohen & Kohn 2011, Nat. Neurosci. 14:811"),
    ("noise_correlation", "2", "measures.populations.correlations", "noise_correlation", "responses [stimuli, repeats, units]", "offset and scale of each unit, tuning", "how much do units fluctuate together around their tuning?", "none",
     "Cohen & Kohn 2011, Nat. Neurosci. 14:811"),
    ("pseudo_depth", "1", "measures.representations.rdm", "pseudo_depth", "layers of a model and a population on the same stimuli", "those of ssm", "which layer of a model is most like an area?", "none",
     "Shi et al. 2019, NeurIPS 32"),
    ("structure_bold_gain", "1", "kinds.structure_bold", "structure_bold_correlation", "structural [regions, regions], BOLD [time, regions]", "monotonic transformation of either matrix",
     "do connections tell more than the strengths of their regions?", "none", "Honey et al. 2009, PNAS 106:2035"),
    # -- model recovery: measures of measures ----------------------------------------------------------------------
    ("recovery_hit_rate", "2", "kinds.model_recovery.comparison", "model_recovery", "pairs of systems of known relation", "monotonic transformation of the measure, nearly",
     "is a pair attributed to its own relation by the score alone?", "none", "Schütt et al. 2023, eLife 12:e82566 (model recovery); nearest mean score, leave-one-out"),
    ("recovery_sees_change", "1", "kinds.model_recovery.comparison", "model_recovery", "pairs of systems of known relation", "monotonic transformation of the measure",
     "does a measure score a changed copy lower than an identical one?", "none", "Kornblith et al. 2019, ICML 97:3519 (which transformations a similarity should not see)"),
    ("recovery_tells_from_unrelated", "1", "kinds.model_recovery.comparison", "model_recovery", "pairs of systems of known relation", "monotonic transformation of the measure",
     "does a measure score a related system higher than an unrelated one?", "none", "Kornblith et al. 2019, ICML 97:3519 (sanity check by matching)"),
    ("ntf_explained", "1", "kinds.dynamic_connectome.comparison", "dynamic_connectome", "affinities [time, animal, pair], rank", "order of animals and pairs, scale of traces",
     "how much of the coupling of neurons is in few motifs, and do animals share their timing?", "none", "Dyballa et al. 2024, arXiv:2402.14102"),
    ("ntf_similarity", "1", "measures.tensors.decomposition", "factor_similarity", "two decompositions of one tensor", "order of motifs", "does the factorisation come out the same from other starts?", "none",
     "Williams et al. 2018, Neuron 98:1099, equation 11"),
    ("motif_modularity", "1", "measures.tensors.affinity", "communities", "affinity per pair of neurons", "scale of affinities, order of neurons", "do the neurons of a motif fall into communities?", "none",
     "Newman & Girvan 2004, Phys. Rev. E 69:026113; Traag et al. 2019, Sci. Rep. 9:5233 (Leiden)"),
    ("motif_match", "2", "kinds.dynamic_connectome.comparison", "dynamic_connectome", "loadings of pairs in two halves of the animals", "scale and order of motifs", "do other animals show the same motifs?", "none",
     "Dyballa et al. 2024, arXiv:2402.14102; halves of animals: this project"),
    ("community_nmi", "1", "inference.partitions", "nmi", "two partitions of the same neurons", "names of communities", "do two partitions of neurons agree?", "none",
     "Danon et al. 2005, J. Stat. Mech. P09008"),
    ("manifold_explained", "1", "kinds.activity_manifolds.animal_manifold", "derivative_components", "traces [time, neurons]", "order of neurons, rotation", "how low-dimensional is the change of activity?", "none",
     "Kato et al. 2015, Cell 163:656"),
    ("manifold_procrustes", "1", "measures.representations.similarity", "procrustes", "loadings [shared neurons, components] of two animals", "rotation and scaling of the components",
     "do shared neurons take the same part in the dynamics of two animals?", "ratio", "Williams et al. 2021, NeurIPS 34; Kato et al. 2015, Cell 163:656"),
    ("manifold_cca", "1", "measures.representations.similarity", "cca_mean", "loadings [shared neurons, components] of two animals", "invertible linear maps of the components",
     "as manifold_procrustes, whatever the weight of the components", "ratio", "Hotelling 1936, Biometrika 28:321"),
    ("state_decoding", "3", "kinds.activity_manifolds.state_decoding", "balanced_accuracy", "features [time, dimensions] and states of two animals", "scale of features",
     "does a decoder of behaviour trained in one animal work in another?", "ratio", "Safaie et al. 2023, Nature 623:765; Kato et al. 2015, Cell 163:656"),
    # -- reservoir -------------------------------------------------------------------------------------------------
    ("timing_score", "1", "measures.graphs.reservoir", "timing_task", "weights [nodes, nodes], intervals", "order of nodes", "can a readout of a connectome tell time?", "none",
     "Buonomano & Maass 2009, Nat. Rev. Neurosci. 10:113"),
    ("memory_capacity", "1", "measures.graphs.reservoir", "memory_capacity", "weights [nodes, nodes], input", "order of nodes", "how long does a connectome remember its input?", "none",
     "Jaeger 2001, GMD Report 152; Suárez et al. 2021, Nat. Mach. Intell. 3:771"),
]  # fmt: skip

MEASURES: dict[str, Measure] = {row[0]: Measure(*row) for row in _TABLE}

# Shares, areas, accuracies and correlations: two hundredths. Others have units, or a range, of their own.
_SHARE = Scale(True, 0.02)
_DISTANCE = Scale(False, 0.02)

SCALES: dict[str, Scale] = {
    **dict.fromkeys(
        (
            *("influence_auc", "influence_auc_indirect", "influence_auc_gain", "influence_given_edge"),
            *(
                "weight_response_correlation",
                "edge_recall",
                "edge_precision",
                "edge_jaccard",
                "weight_rank_correlation",
            ),
            *("structure_bold_correlation", "structure_bold_gain", "activity_structure_correlation"),
            *("decoding_within", "osi", "dsi", "tuned_share", "reliability", "ssm", "cka", "rsa", "timing_score"),
            *("ntf_explained", "ntf_similarity", "motif_modularity", "motif_match", "community_nmi"),
            *("manifold_explained", "manifold_procrustes", "manifold_cca", "state_decoding"),
            *("recovery_hit_rate", "recovery_sees_change", "recovery_tells_from_unrelated"),
        ),
        _SHARE,
    ),
    "influence_ratio": Scale(True, 0.1),
    "memory_capacity": Scale(True, 0.2),
    "circular_variance": _DISTANCE,
    "signal_correlation": Scale(True, 0.02, descriptive=True),
    "noise_correlation": Scale(True, 0.02, descriptive=True),
    "spectral_radius": Scale(True, 0.02, descriptive=True),
    "participation_ratio": Scale(False, 0.5, descriptive=True),
    **{name: _DISTANCE for name in MEASURES if name.endswith("_ks")},
    # in units of their statistic; the distance between seeds, not the margin, says what matters there
    **{name: Scale(False, 0.0) for name in MEASURES if name.endswith(("_wasserstein", "_difference"))},
    "spectrum_distance": Scale(False, 0.1),
}
"""Measures whose rows are results, so that they get a verdict."""


if __name__ == "__main__":
    for entry in MEASURES.values():
        print(f"{entry.family:15} {entry.name:32} {entry.use}")
