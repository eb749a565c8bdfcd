"""Multi-area model of macaque visual cortex: 32 areas of 1 mm², each a microcircuit of eight populations, wired by tracing data.

Sources: Schmidt, Bakker, Shen, Bezgin, Diesmann & van Albada 2018, PLoS Comput Biol 14:e1006359 (dynamics), and Schmidt et al.
2018, Brain Struct Funct 223:1409 (structure, which the reader `multi_area` derives); downscaling: van Albada, Helias &
Diesmann 2015, PLoS Comput Biol 11:e1004490.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.hints import hint
from allometry.models.catalogue.records import model
from allometry.models.microcircuit import psc_amplitude
from allometry.network import (
    DCInput,
    FixedTotalNumber,
    IafPscExp,
    Network,
    Normal,
    PoissonInput,
    Population,
    Projection,
)
from allometry.network.scalars import plain_arguments

Floats = NDArray[np.float64]

POPULATIONS = ("23E", "23I", "4E", "4I", "5E", "5I", "6E", "6I")
AREAS = tuple(
    "V1 V2 VP V3 V3A MT V4t V4 VOT MSTd PIP PO DP MIP MDP VIP LIP PITv PITd MSTl CITv CITd FEF TF AITv FST 7a STPp STPa 46 "
    "AITd TH".split()
)
#: Neurons of all areas together, and full-scale rates (Hz) of the low state, mean over the areas (tests/fullscale_rates.json of
#: the authors: the mean-field rates with g -16 and every external factor 1).
NEURONS = np.array([1458147, 411296, 800618, 200164, 471137, 103456, 568762, 116479])
RATES_HZ = np.array([0.199, 1.732, 5.353, 2.677, 0.155, 4.448, 0.0019, 3.905])

PSP_MV, PSP_4E_23E = 0.15, 2.0
INHIBITION = -16.0
BACKGROUND_HZ = 10.0
WEIGHT_SD, DELAY_SD = 0.1, 0.5
INITIAL_V = Normal(-150.0, 50.0)
_NEEDED = ("area", "type", "sign", "neurons", "external_indegree", "rate_hz", "indegree", "delay", "source", "target")


@dataclass(frozen=True, eq=False)
class _Structure:
    """Populations, and in-degrees from one to another; edges by number of the population."""

    labels: list[str]
    area: NDArray[np.object_]
    kind: NDArray[np.object_]
    sign: Floats
    neurons: Floats
    external: Floats
    rate_hz: Floats
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    indegree: Floats
    delay_ms: Floats

    @property
    def between(self) -> NDArray[np.bool_]:
        """Which edges come from another area, bool [edge]."""
        return np.asarray(self.area[self.source] != self.area[self.target])


def stand_in(parameters: Mapping[str, Any]) -> xr.Dataset:
    """A store of average areas in a ring, which stands for the genuine one before it is made.

    Parameters
    ----------
    parameters : mapping
        Arguments of the model: areas that it names are in it.

    Returns
    -------
    Dataset
        What `multi_area` reads, with published numbers of neurons and roughly the published in-degrees.
    """
    areas = list(dict.fromkeys([*AREAS, *_names(parameters.get("areas", "all"))]))
    areas.remove("all") if "all" in areas else None
    count, own = len(areas), len(POPULATIONS)
    node = np.arange(count * own).reshape(count, own)
    within = np.stack([np.repeat(node, own, axis=1), np.tile(node, own)]).reshape(2, -1)
    around = np.stack([np.repeat(node[:, :1], own, axis=1), np.roll(node, 1, axis=0)]).reshape(2, -1)
    kinds = np.tile(POPULATIONS, count)
    edge = ("edge", np.r_[np.full(within.shape[1], 600.0), np.full(around.shape[1], 1800.0)])
    return xr.Dataset(
        {
            "area": ("node", np.repeat(areas, own)),
            "type": ("node", kinds),
            "sign": ("node", np.where(np.char.endswith(kinds, "E"), 1.0, -1.0)),
            "neurons": ("node", np.tile(NEURONS / len(AREAS), count)),
            "external_indegree": ("node", np.full(count * own, 3000.0)),
            "rate_hz": ("node", np.tile(RATES_HZ, count)),
            "source": ("edge", np.r_[within[0], around[0]]),
            "target": ("edge", np.r_[within[1], around[1]]),
            "indegree": edge,
            "delay": ("edge", np.r_[np.full(within.shape[1], 1.5), np.full(around.shape[1], 8.0)]),
        },
        {"node": [f"{area}-{kind}" for area in areas for kind in POPULATIONS]},
    )


@plain_arguments
@model(
    description="Macaque visual cortex: 1 mm² of each of 32 areas, 4.13 million neurons at full scale.",
    source="Schmidt et al. 2018, PLoS Comput Biol 14:e1006359; van Albada et al. 2015, PLoS Comput Biol 11:e1004490",
    stand_in=stand_in,
)
def multi_area(
    connectome: xr.Dataset,
    scale: float = 0.05,
    areas: str | Sequence[str] = "all",
    cc_weights_factor: float = 1.0,
    cc_weights_i_factor: float = 1.0,
    g: float = INHIBITION,
    external_5e: float = 1.0,
    external_6e: float = 1.0,
    external_th: float = 1.0,
    psp_mv: float = PSP_MV,
    background_hz: float = BACKGROUND_HZ,
) -> Network:
    """Build the multi-area model from the store of the reader `multi_area`.

    Neurons and in-degrees are scaled together; weights over √scale and a direct current keep the mean and the variance of the
    input at the rates of the full model, which the store has (else published means of the populations).

    Parameters
    ----------
    connectome : Dataset
        Connectome store of the reader `multi_area`.
    scale : float
        Neurons and in-degrees relative to full scale, in (0, 1]. Below 0.05 few inputs are left for what scaling assumes.
    areas : str (names separated by commas) or sequence of str
        Areas to simulate; the others drive them as Poisson input at their rates. `all` simulates every area.
    cc_weights_factor : float
        Factor of the weights between areas. The metastable state of 1.9 was published with stabilised in-degrees (see `g`).
    cc_weights_i_factor : float
        Further factor of those onto inhibitory neurons: 2.0 in the metastable state.
    g : float
        Inhibitory weight relative to the excitatory one, negative. −16 is that of the low state, at whose rates the published
        full-scale rates hold (Schuecker et al. 2017); −11 was published with in-degrees that are stabilised, which the store has
        not: without them mean-field theory finds no low state there.
    external_5e, external_6e : float
        Factors of the external in-degree of populations 5E and 6E; 1.125 and 1.41667 were published with g −11.
    external_th : float
        The same of 23E and 5E in area TH, which has no layer 4; 1.2 was published with g −11.
    psp_mv : float
        Excitatory postsynaptic potential, mV; twice that from 4E to 23E of an area.
    background_hz : float
        Rate of every external synapse, Hz.

    Returns
    -------
    Network
        Populations `V1-23E` to `TH-6I` of `IafPscExp` neurons; weights in pA, steps of 0.1 ms.

    Raises
    ------
    SimulationError
        If the store is none of the reader, an area is unknown, a scale or factor is out of range, or a population is left with
        no neuron.
    """
    where = "multi_area"
    if not 0 < scale <= 1:
        raise SimulationError(f"scale is {scale}", where=where, expected="0 < scale <= 1")
    if not (math.isfinite(g) and g <= 0):
        raise SimulationError(f"g is {g}", where=where, expected="a negative number: inhibition", do=f"use {-g}")
    factors = {"cc_weights_factor": cc_weights_factor, "cc_weights_i_factor": cc_weights_i_factor}
    factors |= {"external_5e": external_5e, "external_6e": external_6e, "external_th": external_th}
    for name, value in {**factors, "psp_mv": psp_mv, "background_hz": background_hz}.items():
        if value < 0:
            raise SimulationError(f"{name} is {value}", where=where, expected="0 or above")
    structure = _structure(connectome)
    chosen = _chosen(structure, areas)
    inside = np.isin(structure.area, chosen)
    sizes = np.round(structure.neurons * scale).astype(int)
    if (empty := inside & (sizes < 1)).any():
        raise SimulationError(
            f"{structure.labels[np.flatnonzero(empty)[0]]} has no neuron at scale {scale:g}",
            where=where,
            expected=f"a scale of {0.5 / structure.neurons[inside].min():.2g} or more",
        )
    weight = _weights(structure, psc_amplitude(psp_mv), g, cc_weights_factor, cc_weights_i_factor)
    external = structure.external.copy()
    for kind, factor in (("5E", external_5e), ("6E", external_6e)):
        external[structure.kind == kind] *= factor
    external[(structure.area == "TH") & np.isin(structure.kind, ("23E", "5E"))] *= external_th
    psc = psc_amplitude(psp_mv)
    drive = psc * external * background_hz
    current = _compensation(structure, scale, weight, drive)
    root = math.sqrt(scale)
    inputs: list[PoissonInput | DCInput] = []
    for p in np.flatnonzero(inside):
        inputs.append(PoissonInput(structure.labels[p], float(scale * external[p] * background_hz), psc / root))
        if current[p]:
            inputs.append(DCInput(structure.labels[p], float(current[p])))
    inputs += _from_outside(structure, inside, scale, weight / root)
    return Network(
        populations=tuple(
            Population(structure.labels[p], int(sizes[p]), IafPscExp(), INITIAL_V) for p in np.flatnonzero(inside)
        ),
        projections=_projections(structure, inside, scale, sizes, weight / root),
        inputs=tuple(inputs),
        dt_ms=0.1,
        title=f"Multi-area model of macaque visual cortex (Schmidt et al. 2018), {len(chosen)} areas at scale {scale:g}",
        parameters={
            "model": "multi_area",
            "scale": scale,
            "areas": "all" if inside.all() else chosen,
            **factors,
            "g": g,
            "psp_mv": psp_mv,
            "background_hz": background_hz,
        },
    )


def _names(areas: str | Sequence[str]) -> list[str]:
    return [name.strip() for name in areas.split(",") if name.strip()] if isinstance(areas, str) else list(map(str, areas))


def _structure(store: xr.Dataset) -> _Structure:
    missing = [name for name in _NEEDED if name not in getattr(store, "variables", ())]
    if missing:
        raise SimulationError(
            f"the connectome has no {', '.join(missing)}",
            where="multi_area",
            expected="populations of areas with numbers of neurons and in-degrees, as the reader `multi_area` makes them",
            do="name the store that was made from the tables of INM-6/multi-area-model",
        )
    text = {name: np.array([str(each) for each in store[name].values], object) for name in ("node", "area", "type")}
    rate = np.asarray(store["rate_hz"].values, np.float64)
    published = [RATES_HZ[POPULATIONS.index(kind)] if kind in POPULATIONS else np.nan for kind in text["type"]]
    number = {name: np.asarray(store[name].values, np.float64) for name in ("sign", "neurons", "external_indegree")}
    if np.isnan(unknown := np.where(np.isnan(rate), published, rate)).any():
        raise SimulationError(
            f"the rate of {text['node'][np.flatnonzero(np.isnan(unknown))[0]]} is not known",
            where="multi_area",
            expected=f"a number in rate_hz, or a type among {', '.join(POPULATIONS)}",
        )
    return _Structure(
        list(text["node"]),
        text["area"],
        text["type"],
        number["sign"],
        number["neurons"],
        number["external_indegree"],
        unknown,
        *(np.asarray(store[name].values, np.int64) for name in ("source", "target")),
        *(np.asarray(store[name].values, np.float64) for name in ("indegree", "delay")),
    )


def _chosen(structure: _Structure, areas: str | Sequence[str]) -> list[str]:
    """The areas to simulate, in the order of the store."""
    known, wanted = list(dict.fromkeys(structure.area)), _names(areas)
    if wanted == ["all"]:
        return known
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise SimulationError(
            f"unknown areas {', '.join(unknown)}" if wanted else "no area is named",
            where="multi_area, areas",
            expected=f"all, or among {', '.join(known)}",
            do=hint(unknown[0], known) if unknown else "",
        )
    return [name for name in known if name in wanted]


def _weights(structure: _Structure, psc: float, g: float, factor: float, factor_i: float) -> Floats:
    """Mean weights at full scale, float [edge], pA."""
    source, target, between = structure.source, structure.target, structure.between
    weight = np.where(structure.sign[source] > 0, psc, g * psc)
    weight[~between & (structure.kind[source] == "4E") & (structure.kind[target] == "23E")] *= PSP_4E_23E
    weight[between] *= factor
    weight[between & (structure.sign[target] < 0)] *= factor_i
    return weight


def _compensation(structure: _Structure, scale: float, weight: Floats, external: Floats) -> Floats:
    """Direct current, float [population], pA: what scaling takes from the mean input at the full-scale rates."""
    each = weight * structure.indegree * structure.rate_hz[structure.source]
    # Correctly rounded sums: the order of the edges does not matter.
    mean = np.array([math.fsum(each[structure.target == p]) for p in range(len(structure.labels))])
    return np.asarray(1e-3 * IafPscExp().tau_syn_ex * (1 - math.sqrt(scale)) * (mean + external))


def _from_outside(structure: _Structure, inside: NDArray[np.bool_], scale: float, weight: Floats) -> list[PoissonInput]:
    """Input from the areas that are not simulated, at their rates; one for every weight onto a population."""
    source, target = structure.source, structure.target
    edges = np.flatnonzero(inside[target] & ~inside[source])
    rates: dict[tuple[int, float], list[float]] = {}
    for e in edges:
        rates.setdefault((int(target[e]), float(weight[e])), []).append(
            float(structure.indegree[e] * structure.rate_hz[source[e]])
        )
    return [
        PoissonInput(structure.labels[p], scale * math.fsum(each), value)
        for (p, value), each in sorted(rates.items())
        if value and math.fsum(each) > 0
    ]


def _projections(
    structure: _Structure, inside: NDArray[np.bool_], scale: float, sizes: NDArray[np.int64], weight: Floats
) -> tuple[Projection, ...]:
    source, target = structure.source, structure.target
    synapses = np.round(structure.indegree * scale * sizes[target]).astype(int)
    kept = inside[source] & inside[target] & (synapses > 0) & (weight != 0)
    return tuple(
        Projection(
            structure.labels[source[e]],
            structure.labels[target[e]],
            FixedTotalNumber(int(synapses[e])),
            Normal(float(weight[e]), abs(float(weight[e])) * WEIGHT_SD),
            Normal(float(structure.delay_ms[e]), float(structure.delay_ms[e]) * DELAY_SD),
        )
        for e in np.flatnonzero(kept)
    )
