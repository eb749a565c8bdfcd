"""Synapses of the multi-area model of macaque visual cortex: within areas, between them, and from outside.

Source: Schmidt, Bakker, Hilgetag, Diesmann & van Albada 2018, Brain Struct Funct 223:1409 (the derivation); the code that the
authors publish with it (INM-6/multi-area-model) decides what the paper leaves open. Every area is one square millimetre of its
surface; all counts are expected numbers, not drawn ones.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import integrate

from allometry.homogenize.macaque.tables import LAYERS, POPULATIONS, Tables

Floats = NDArray[np.float64]

#: In-degree of V1, mean of the counts of Cragg 1967 (5600) and O'Kusky & Colonnier 1982 (2300): the density of synapses.
INDEGREE_V1 = 3950.0
REFERENCE = "V1"
#: Share of subcortical inputs (Markov et al. 2011).
SUBCORTICAL_FLN = 0.013
#: Gaussian profile of connections within an area (Potjans & Diesmann 2014): width in mm, and height.
SIGMA_MM, C_0 = 0.29653208289812366, 0.1429914097112598
_SERIES_MM2 = 100.0
#: Above it a projection goes forward, below the other one back; in between it is lateral.
FORWARD_SLN, BACK_SLN = 0.65, 0.35
#: Share of the synapses of feedback that lie on excitatory neurons.
EXCITATORY_FEEDBACK = 0.93
TERMINATION = {"forward": ("4",), "lateral": ("1", "23", "4", "5", "6"), "back": ("1", "23", "5", "6")}
_LAYER_OF_CODE = ("1", "23", "23", "4", "5", "6")
_EXCITATORY = np.array([name.endswith("E") for name in POPULATIONS])
_P23, _P5, _P6 = (POPULATIONS.index(name) for name in ("23E", "5E", "6E"))


@dataclass(frozen=True)
class Synapses:
    """Numbers of synapses of 1 mm² of every area.

    Parameters
    ----------
    neurons : float [area, population]
        Neurons.
    within : float [area, target population, source population]
        Synapses inside the area.
    between : float [target area, target population, source area, source population]
        Synapses from the other areas.
    external : float [area]
        In-degree from everything else, of every neuron of the area.
    total : float [area]
        All synapses of the area.
    fln : float [target area, source area]
        Share of the area's inputs, of the whole area; they sum to 1 − intrinsic − subcortical − areas that are not in the model.
    intrinsic : float [area]
        Share of its synapses that have their source within the square millimetre.
    """

    neurons: Floats
    within: Floats
    between: Floats
    external: Floats
    total: Floats
    fln: Floats
    intrinsic: Floats


def derive(tables: Tables) -> Synapses:
    """All synapses of the model, from its tables.

    Parameters
    ----------
    tables : Tables
        With V1 among the areas, whose in-degree gives the density of synapses.

    Returns
    -------
    Synapses
        Expected numbers.
    """
    neurons = tables.neurons / tables.surface[:, None]
    first = tables.areas.index(REFERENCE)
    density = INDEGREE_V1 * neurons[first].sum() / tables.thickness[first]
    total = density * tables.thickness
    patch = _relative_indegrees(tables, np.ones(len(tables.areas)))
    whole = _relative_indegrees(tables, tables.surface)
    ratio = np.divide(patch, whole, out=np.full_like(patch, np.nan), where=whole > 0)
    intrinsic = tables.intrinsic_fln * np.nanmean(ratio, axis=(1, 2))
    raw = patch * neurons[:, :, None]
    within = raw * (intrinsic * total / raw.sum(axis=(1, 2)))[:, None, None]
    # An area without layer 4 has no synapses from it either: these are then missing, as in the authors' code.
    within[np.broadcast_to(neurons[:, None, :] == 0, within.shape)] = 0.0
    fln = tables.fln * ((1 - tables.intrinsic_fln - SUBCORTICAL_FLN) / tables.fln_sum)[:, None]
    between = _between(tables, neurons, total, fln)
    external = (total * (1 - intrinsic) - between.sum(axis=(1, 2, 3))) / neurons.sum(axis=1)
    return Synapses(neurons, within, between, external, total, fln, intrinsic)


def mean_connection(surface_mm2: float) -> float:
    """Gaussian connection probability, averaged over all pairs of points of a disk (Sheng 1985, theorem 2.4).

    Parameters
    ----------
    surface_mm2 : float
        Surface of the disk, mm².

    Returns
    -------
    float
        Mean probability.
    """
    radius = math.sqrt(surface_mm2 / math.pi)

    def weighted(r: float) -> float:
        angle = math.atan(math.sqrt((2 * radius - r) / (2 * radius + r)))
        return r * math.exp(-(r**2) / (2 * SIGMA_MM**2)) * (4 * angle - math.sin(4 * angle))

    # Beyond ten widths nothing is left; a large disk would else hide the peak from the quadrature.
    end = min(2 * radius, 10 * SIGMA_MM)
    return 2 * C_0 / surface_mm2 * float(integrate.quad(weighted, 0, end)[0])


def mean_connection_pd14() -> float:
    """The same of a square millimetre, averaged as by Potjans & Diesmann 2014: over the distances from the centre."""
    square = 1 / math.pi
    return 2 / square * C_0 * SIGMA_MM**2 * (1 - math.exp(-square / (2 * SIGMA_MM**2)))


def _relative_indegrees(tables: Tables, surface: Floats) -> Floats:
    """In-degrees [area, target, source] of the microcircuit in disks of these surfaces, float [area], mm²."""
    found = np.empty((len(surface), len(POPULATIONS), len(POPULATIONS)))
    for size in np.unique(surface):
        probability = tables.connection * (mean_connection(size) / mean_connection_pd14())
        targets = tables.microcircuit * size
        pairs = np.outer(targets, targets)
        # From 100 mm² on, the authors' code sums the series of log(1 + p) where log(1 - p) is meant; the model is what it made.
        sign = 1.0 if size >= _SERIES_MM2 else -1.0
        synapses = np.log1p(sign * probability) / np.log1p(sign / pairs)
        found[surface == size] = np.round(synapses) / targets[:, None]
    return found


def _between(tables: Tables, neurons: Floats, total: Floats, fln: Floats) -> Floats:
    areas, populations = len(tables.areas), len(POPULATIONS)
    found = np.zeros((areas, populations, areas, populations))
    landing = _cell_bodies(tables, neurons)
    for (target, source), sln in tables.sln.items():
        t, s = tables.areas.index(target), tables.areas.index(source)
        patterns = tables.patterns[target, source]
        origin = _origin(sln, patterns[0], tables.neurons[s])
        layers = _termination(sln, patterns[1], tables.layers[t])
        synapses = total[t] * fln[t, s] * np.outer(layers @ landing[t], origin)
        synapses[neurons[t] == 0] = 0.0
        synapses[:, tables.neurons[s] == 0] = 0.0
        found[t, :, s] = _specific(synapses) if sln < BACK_SLN else synapses
    return found


def _origin(sln: float, codes: Floats | None, neurons: Floats) -> Floats:
    """Shares [population] of the sources: layer 2/3 as the SLN says, the rest from 5 and 6."""
    shares = np.zeros(len(POPULATIONS))
    if codes is None:
        infra = neurons[[_P5, _P6]]
        shares[_P23], shares[[_P5, _P6]] = sln, (1 - sln) * infra / infra.sum()
        return shares
    upper, lower = codes[:3], codes[-2:]
    if not upper.any():
        sln = 0.0
    elif not lower.any():
        sln = 1.0
    shares[_P23] = sln
    if lower.any():
        strength = np.where(lower != 0, 10.0**lower, 0.0)
        shares[[_P5, _P6]] = (1 - sln) * strength / strength.sum()
    return shares


def direction(sln: float) -> str:
    """Whether a projection of this SLN goes `forward`, is `lateral` or goes `back`."""
    return "forward" if sln > FORWARD_SLN else "back" if sln < BACK_SLN else "lateral"


def _termination(sln: float, codes: Floats | None, thickness: Floats) -> Floats:
    """Shares [layer] of the synapses: as CoCoMac codes them, else layer 1 half and the others by thickness (mm [layer])."""
    shares, expected = np.zeros(len(LAYERS)), TERMINATION[direction(sln)]
    if codes is not None:
        known = [2.0 if c == -1 and name in expected else c for c, name in zip(codes, _LAYER_OF_CODE, strict=True)]
        for code, name in zip(known, _LAYER_OF_CODE, strict=True):
            shares[LAYERS.index(name)] += 10.0**code if code > 0 else 0.0
        return shares / shares.sum()
    chosen = np.array([name in expected and name != "1" for name in LAYERS])
    shares[chosen] = thickness[chosen] / thickness[chosen].sum()
    if "1" in expected:
        shares *= 0.5
        shares[0] = 0.5
    return shares


def _specific(synapses: Floats) -> Floats:
    """Feedback: the synapses [target, source], moved so that the excitatory targets have their share."""
    onto = synapses[_EXCITATORY].sum() / synapses.sum() if synapses.any() else 0.0
    if not 0 < onto < 1:
        return synapses
    factor = np.where(_EXCITATORY, EXCITATORY_FEEDBACK / onto, (1 - EXCITATORY_FEEDBACK) / (1 - onto))
    return synapses * factor[:, None]


def _cell_bodies(tables: Tables, neurons: Floats) -> Floats:
    """Probability [area, layer, population] that a corticocortical synapse of a layer belongs to a population's neuron.

    From the dendrites of Binzegger, Douglas & Martin 2004, weighted with the numbers of V1; an area without layer 4 has the
    share of that layer in the others, by their thickness.
    """
    model = neurons[tables.areas.index(REFERENCE)]
    model = model / model.sum()
    occurrence = np.zeros(len(POPULATIONS))
    kinds = {row.cell: row for row in tables.dendrites}
    for row in kinds.values():
        occurrence[POPULATIONS.index(row.population)] += row.occurrence
    occurrence = occurrence / occurrence.sum()
    found = np.zeros((len(LAYERS), len(POPULATIONS)))
    for row in tables.dendrites:
        p = POPULATIONS.index(row.population)
        found[LAYERS.index(row.layer), p] += (
            row.corticocortical * row.synapses * row.occurrence * model[p] / occurrence[p]
        )
    found /= found.sum(axis=1, keepdims=True)
    result = np.repeat(found[None], len(tables.areas), axis=0)
    for a in np.flatnonzero((neurons == 0).any(axis=1)):
        absent = neurons[a] == 0
        for kind in (_EXCITATORY, ~_EXCITATORY):
            present = kind & ~absent
            width = np.array([tables.layers[a, LAYERS.index(name[:-1])] for name in POPULATIONS])[present]
            lost = result[a][:, kind & absent].sum(axis=1)
            result[a][:, present] += lost[:, None] * width / width.sum()
        result[a][:, absent] = 0.0
    return result
