"""Records of the distances between two populations of spiking units: one per statistic of a profile."""

from allometry.compare.inference.ecdf import ks_and_wasserstein
from allometry.compare.kinds.spike_statistics.profile import DISTRIBUTIONS, SCALARS, of_spikes
from allometry.compare.measures.spikes.branching import branching_ratio
from allometry.compare.measures.spikes.criticality import power_law
from allometry.compare.measures.spikes.population_bursts import population_bursts
from allometry.compare.measures.spikes.train_statistics import synchrony
from allometry.compare.records.measures import DISTANCE, Scale, measure

MEASURES: dict[str, tuple[str, str]] = {
    **{f"{name}_ks": (name, "1") for name in DISTRIBUTIONS},
    **{f"{name}_wasserstein": (name, unit) for name, unit in DISTRIBUTIONS.items()},
    "spectrum_distance": ("spectrum", "dB"),
    **{f"{name}_difference": (name, unit) for name, unit in SCALARS.items()},
}
"""Statistic and unit of every measure."""

# of a distance in units of its statistic, that between seeds, not a margin, says what matters
_ANY = Scale(False, 0.0)

for _name, _values, _question in (
    ("rate", "rates [units]", "do two populations fire at the same rates?"),
    ("cv", "CVs [units]", "are two populations equally irregular?"),
    ("lv", "LVs [units]", "are two populations equally irregular, slow changes of rate aside?"),
    ("correlation", "pairwise correlations [pairs]", "do pairs of units fluctuate together as much?"),
    ("osi", "selectivity indices [units]", "are two populations equally selective for orientation?"),
    ("timescale", "timescales [units]", "does the activity of single units outlast itself equally long?"),
    ("avalanche_size", "sizes of avalanches [avalanches]", "do cascades have the same sizes?"),
):
    measure(
        name=f"{_name}_ks",
        version="1",
        inputs=f"two sets of {_values}",
        invariances="order of units; monotonic transformation of both",
        use=_question,
        reference="Kolmogorov-Smirnov distance; Massey 1951, J. Am. Stat. Assoc. 46:68",
        scale=DISTANCE,
        module=__name__,
    )(ks_and_wasserstein)
    measure(
        name=f"{_name}_wasserstein",
        version="1",
        inputs=f"two sets of {_values}",
        invariances="order of units; shift of both",
        use=f"{_question} (in their unit)",
        reference="Wasserstein distance; Vallender 1974, Theory Probab. Appl. 18:784",
        scale=_ANY,
        module=__name__,
    )(ks_and_wasserstein)

measure(
    name="peak_frequency_difference",
    version="1",
    inputs="population counts [bins] of two stores",
    invariances="order of units; mean rate",
    use="is the strongest rhythm the same?",
    reference="Brunel 2000, J. Comput. Neurosci. 8:183",
    scale=_ANY,
    module=__name__,
)(of_spikes)
measure(
    name="synchrony_difference",
    version="1",
    inputs="population counts [bins] of two stores",
    invariances="order of units",
    use="is the population equally synchronous?",
    reference="Potjans & Diesmann 2014, Cereb. Cortex 24:785",
    scale=_ANY,
    module=__name__,
)(synchrony)
measure(
    name="branching_ratio_difference",
    version="4",
    inputs="population activity [bins] of two stores",
    invariances="subsampling of units",
    use="does activity outlast its cause equally long?",
    reference="Wilting & Priesemann 2018, Nat. Commun. 9:2325",
    scale=_ANY,
    module=__name__,
)(branching_ratio)
measure(
    name="avalanche_exponent_difference",
    version="2",
    inputs="avalanche sizes of two stores",
    invariances="scale of sizes above xmin",
    use="do the tails of cascade sizes fall alike?",
    reference="Clauset et al. 2009, SIAM Rev. 51:661",
    scale=_ANY,
    module=__name__,
    cost="time",
)(power_law)
for _name, _question in (
    ("burst_rate", "does the population burst as often?"),
    ("burst_duration", "are its bursts as long?"),
    ("burst_participation", "do as many of its units take part in a burst?"),
    ("burst_share", "are as many of its spikes in bursts?"),
):
    measure(
        name=f"{_name}_difference",
        version="1",
        inputs="counts [bins, units] of two stores",
        invariances="order of units",
        use=_question,
        reference="after Wagenaar et al. 2006, BMC Neurosci. 7:11",
        scale=_ANY,
        module=__name__,
    )(population_bursts)
