"""Multi-area model of macaque visual cortex: 32 areas of 1 mm², each a microcircuit of eight populations, wired by tracing data.

Sources: Schmidt, Bakker, Shen, Bezgin, Diesmann & van Albada 2018, PLoS Comput Biol 14:e1006359 (dynamics), and Schmidt et al.
2018, Brain Struct Funct 223:1409 (structure, which the reader `multi_area` derives); downscaling: van Albada, Helias &
Diesmann 2015, PLoS Comput Biol 11:e1004490.
"""

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.catalogue.records import model
from allometry.models.microcircuit import psc_amplitude
from allometry.models.multi_area_store import Structure, chosen_areas, stand_in, structure_of
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

PSP_MV, PSP_4E_23E = 0.15, 2.0
INHIBITION = -16.0
BACKGROUND_HZ = 10.0
WEIGHT_SD, DELAY_SD = 0.1, 0.5
INITIAL_V = Normal(-150.0, 50.0)


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
    structure = structure_of(connectome)
    chosen = chosen_areas(structure, areas)
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


def _weights(structure: Structure, psc: float, g: float, factor: float, factor_i: float) -> Floats:
    """Mean weights at full scale, float [edge], pA."""
    source, target, between = structure.source, structure.target, structure.between
    weight = np.where(structure.sign[source] > 0, psc, g * psc)
    weight[~between & (structure.kind[source] == "4E") & (structure.kind[target] == "23E")] *= PSP_4E_23E
    weight[between] *= factor
    weight[between & (structure.sign[target] < 0)] *= factor_i
    return weight


def _compensation(structure: Structure, scale: float, weight: Floats, external: Floats) -> Floats:
    """Direct current, float [population], pA: what scaling takes from the mean input at the full-scale rates."""
    each = weight * structure.indegree * structure.rate_hz[structure.source]
    # Correctly rounded sums: the order of the edges does not matter.
    mean = np.array([math.fsum(each[structure.target == p]) for p in range(len(structure.labels))])
    return np.asarray(1e-3 * IafPscExp().tau_syn_ex * (1 - math.sqrt(scale)) * (mean + external))


def _from_outside(structure: Structure, inside: NDArray[np.bool_], scale: float, weight: Floats) -> list[PoissonInput]:
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
    structure: Structure, inside: NDArray[np.bool_], scale: float, sizes: NDArray[np.int64], weight: Floats
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
