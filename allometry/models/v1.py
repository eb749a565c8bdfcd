"""Macaque V1 layer 4C-alpha: nine hypercolumns, true to size, driven by LGN cells that see a drifting grating.

Chariker, Shapley & Young 2016, J Neurosci 36:12368 (the authors' published parameters; the wiring from the LGN and the drive
from layer 6, which they give as files, are drawn by rules of ours). Voltages in units of the threshold, weights are time
integrals of conductances, both without unit; lengths in um of cortex.
"""

import functools
import math
from typing import Any, Literal

import numpy as np

from allometry.errors import SimulationError
from allometry.models.catalogue.records import model
from allometry.models.v1_stimulus import STIMULUS, grating, layer6_drive, layer6_gate
from allometry.models.v1_wiring import (
    HYPERCOLUMN_UM,
    LAYER6_CORNER_UM,
    MOST_INPUTS,
    N_EXCITATORY,
    N_INHIBITORY,
    N_LGN,
    SIDE_UM,
    Wiring,
    lattice,
    preferred_orientation,
    procedural,
)
from allometry.network import (
    DistanceDependent,
    ExplicitEdges,
    GaussianKernel,
    LgnCell,
    Network,
    Normal,
    Parrot,
    PoissonInput,
    Population,
    Projection,
    Space,
    Uniform,
    V1Cell,
)
from allometry.network.scalars import plain_arguments

DT_MS = 0.1
#: Weights onto E and I cells, from E cells, I cells (negative) and the LGN; of weak ambient events.
S_EE, S_IE, S_EI, S_II = 0.028, 0.01008, -0.056, -0.056
S_LGN_E, S_LGN_I, S_WEAK = 0.06174, 0.084, 0.01
#: Peak connection probabilities by the number of LGN inputs of the target, 0 to 8.
P_EE = np.array([0.205, 0.1925, 0.175, 0.1575, 0.14, 0.1275, 0.115, 0.1025, 0.09])
P_IE = np.array([0.6, 0.6, 0.6, 0.6, 0.6, 0.53, 0.46, 0.40, 0.40])
P_EI = P_II = np.full(MOST_INPUTS + 1, 0.6)
#: Drive that replaces missing input, relative, by the number of LGN inputs of an E cell.
COMPENSATION = 1.5 * (P_EE / 0.15 - 1.0) + 1.0
#: Widths of the connectivity of E and I cells, um; synapses reach twice as far.
SIGMA_E, SIGMA_I = 200.0 / math.sqrt(2.0), 125.0 / math.sqrt(2.0)
DENSITY_E, DENSITY_I = N_EXCITATORY / SIDE_UM**2, N_INHIBITORY / SIDE_UM**2
#: From layer 6 onto E and I cells: width and reach of the connectivity, um, and its peak.
LAYER6_E, LAYER6_I = (110.0, 165.0, 0.15), (80.0, 120.0, 0.6)
#: Delay of E to E synapses, drawn for every spike and synapse: 1 to 30 steps.
DELAY_MS = Uniform(DT_MS / 2, 30.5 * DT_MS)

_DIGITS = 9
"""Libm differs between machines in the last bits; what it gives is rounded to so many decimals."""


def expected_indegree(p: np.ndarray, sigma: float, density: float) -> np.ndarray:
    """Return the expected in-degree, away from the edges, of a peak probability: 2 pi (1 - e^-2) density sigma^2 p."""
    return 2 * math.pi * (1 - math.exp(-2.0)) * density * sigma**2 * p


@functools.lru_cache(maxsize=4)
def wiring_of(seed: int) -> Wiring:
    """Return the procedural wiring of a seed, computed once."""
    return procedural(seed)


SCHEMES = {
    "none": "weights: the synapses that are missing are not replaced",
    "weights": "mean conductances: weights are larger by as much as there are fewer cells",
    "in_degree": "mean conductances, and in-degrees as far as there are cells: connection probabilities are larger",
}


def reduced(size: float, scheme: str) -> dict[str, Any]:
    """Arguments of `v1` for a share of the density of cells.

    Parameters
    ----------
    size : float
        Density relative to the cortex, up to 1; at least 100 I cells are left.
    scheme : str
        A key of `SCHEMES`.

    Raises
    ------
    SimulationError
        For another size.
    """
    smallest = 100 / N_INHIBITORY
    if not (smallest * (1 - 1e-9) <= size <= 1):
        raise SimulationError(
            f"this network has no size {size:g}",
            where="v1",
            expected=f"the density relative to the cortex, {smallest:.2g} to 1",
        )
    return {"reduction": min(1.0 / size, N_INHIBITORY / 100), "scheme": scheme}


def columns(population: str, size: int) -> dict[str, np.ndarray]:
    """Return what is known of cells: `x_um`, `y_um`, the preferred `orientation_deg` of their place, and where they lie.

    `central` are those of the middle hypercolumn, `inner` those of the middle 1 mm x 1 mm: four hypercolumns' worth, of all
    orientations alike, farther from the edge than any inhibitory synapse reaches.

    Parameters
    ----------
    population : str
        `E` or `I`; of the others nothing is.
    size : int
        Number of cells.
    """
    if population not in ("E", "I"):
        return {}
    xy = lattice(size)
    within = [((xy >= margin) & (xy < SIDE_UM - margin)).all(axis=1) for margin in (HYPERCOLUMN_UM, HYPERCOLUMN_UM / 2)]
    return {
        "x_um": xy[:, 0],
        "y_um": xy[:, 1],
        "orientation_deg": np.round(np.degrees(preferred_orientation(xy)), _DIGITS),
        "central": within[0],
        "inner": within[1],
    }


@plain_arguments
@model(
    description="Macaque V1 layer 4C-alpha: nine hypercolumns, 36,000 cells at full density, under a drifting grating.",
    source="Chariker, Shapley & Young 2016, J Neurosci 36:12368",
    reduce=reduced,
    schemes=SCHEMES,
    calibrate=dict.fromkeys(("weights", "in_degree"), ("x_ee", "x_ie", "x_ei", "x_ii")),
    stimulus=STIMULUS,
    columns=columns,
)
def v1(
    reduction: float = 1.0,
    scheme: Literal["none", "weights", "in_degree"] = "in_degree",
    orientation_deg: float = 0.0,
    contrast: float = 1.0,
    cycles_per_degree: float = 2.5,
    frequency_hz: float = 4.0,
    layer6_depth: float = 0.5,
    x_ee: float = 1.0,
    x_ie: float = 1.0,
    x_ei: float = 1.0,
    x_ii: float = 1.0,
    wiring_seed: int = 1,
) -> Network:
    """Build nine hypercolumns of layer 4C-alpha, at the density of the cortex or a lower one.

    Parameters
    ----------
    reduction : float
        How many times fewer cells than in the cortex, 1 or above; the LGN and layer 6 stay as they are.
    scheme : {"none", "weights", "in_degree"}
        What replaces the synapses that a reduced network lacks: nothing; weights, `reduction` times as large; or
        connection probabilities, as much larger, and weights by the in-degree that is left.
    orientation_deg : float
        Direction of the grating's wave vector, degrees; 0 is a vertical grating.
    contrast : float
        Contrast of the grating; 0 is the background, 1 full contrast. Layer 6 is silent up to 0.5.
    cycles_per_degree : float
        Spatial frequency, cycles per degree.
    frequency_hz : float
        Temporal frequency, Hz.
    layer6_depth : float
        Depth of the common oscillation of layer 6 at 64 Hz; 0 is none.
    x_ee, x_ie, x_ei, x_ii : float
        Factors on the weights onto E from E, onto I from E, onto E from I, and onto I from I.
    wiring_seed : int
        Seed of the wiring from the LGN, of thresholds, and of layer 6; cortical synapses have the seed of the run.

    Returns
    -------
    Network
        Populations `E` and `I` (`V1Cell`), `LGN` (`LgnCell`, 180 ON then 180 OFF) and `L6` (`Parrot`); inputs named `grating`,
        `layer 6` and `layer 6 gate` are those that a condition replaces to change the stimulus.

    Raises
    ------
    SimulationError
        For a reduction below 1 or that leaves fewer than 100 I cells, a negative contrast, frequency or factor.
    """
    if not 1 <= reduction <= N_INHIBITORY / 100:
        raise SimulationError(f"reduction is {reduction:g}", where="v1", expected=f"1 to {N_INHIBITORY // 100}")
    factors = {"x_ee": x_ee, "x_ie": x_ie, "x_ei": x_ei, "x_ii": x_ii}
    numbers = {
        "contrast": contrast, "cycles_per_degree": cycles_per_degree, "frequency_hz": frequency_hz,
        "layer6_depth": layer6_depth, **factors,
    }  # fmt: skip
    for name, value in numbers.items():
        if not (value >= 0 and math.isfinite(value)):
            raise SimulationError(f"{name} is {value:g}", where="v1", expected="a number, 0 or above")
    if wiring_seed < 0:
        raise SimulationError(f"wiring_seed is {wiring_seed}", where="v1", expected="a whole number, 0 or above")
    wiring = wiring_of(wiring_seed)
    return sheet(
        wiring,
        (
            grating(wiring, orientation_deg, contrast, cycles_per_degree, frequency_hz),
            layer6_drive(wiring, contrast, layer6_depth),
            layer6_gate(wiring, orientation_deg, cycles_per_degree),
        ),
        reduction,
        scheme,
        tuple(factors.values()),
        {
            "model": "v1", "reduction": reduction, "scheme": scheme, "orientation_deg": orientation_deg, **numbers,
            "wiring_seed": wiring_seed,
        },
    )  # fmt: skip


def sheet(
    wiring: Wiring,
    stimulus: tuple,
    reduction: float = 1.0,
    scheme: str = "none",
    factors: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0),
    parameters: dict | None = None,
) -> Network:
    """Return the sheet with a given wiring and given inputs of the LGN and of layer 6; other arguments as of `v1`."""
    sizes = [round(n / reduction) for n in (N_EXCITATORY, N_INHIBITORY)]
    xy = [lattice(size) for size in sizes]
    # What a cell of a reduced network is given is what the nearest one of the full network has.
    nearest = [_nearest(here, size) for here, size in zip(xy, (N_EXCITATORY, N_INHIBITORY))]
    lgn_inputs = [
        _inputs(wiring.starts_e, wiring.inputs_e, nearest[0]), _inputs(wiring.starts_i, wiring.inputs_i, nearest[1])
    ]  # fmt: skip
    classes = [np.minimum(counts, MOST_INPUTS) for counts, _, _ in lgn_inputs]
    cells = (
        V1Cell(tau_m=20.0, V_th=wiring.threshold_e[nearest[0]], t_ref=2.0, nmda=0.2),
        V1Cell(tau_m=15.0, V_th=wiring.threshold_i[nearest[1]], t_ref=1.0, nmda=1.0 / 3.0),
    )
    populations = (
        *(
            Population(name, size, cell, Uniform(0.0, 0.9), positions=here)
            for name, size, cell, here in zip("EI", sizes, cells, xy)
        ),
        Population("LGN", N_LGN, LgnCell(), 0.0),
        Population("L6", len(wiring.layer6), Parrot(), positions=wiring.layer6),
    )
    projections = (
        *_cortical(classes, reduction, scheme, factors),
        _from_lgn("E", lgn_inputs[0], S_LGN_E * wiring.strength_e),
        _from_lgn("I", lgn_inputs[1], np.full(len(wiring.inputs_i), S_LGN_I)),
        Projection(
            "L6", "E", _near(LAYER6_E, COMPENSATION[classes[0]]), S_EE, DT_MS, receptor="ex", repeat_delay=DELAY_MS
        ),
        Projection("L6", "I", _near(LAYER6_I, 1.0), S_IE, DT_MS, receptor="ex"),
    )
    flips_hz = 1e3 * math.log(2.0) / DT_MS
    inputs = (
        PoissonInput("E", 200.0 * COMPENSATION[classes[0]], S_EE, receptor="ex"),
        PoissonInput("E", np.full(sizes[0], 225.0), S_WEAK, receptor="ampa"),
        PoissonInput("I", np.full(sizes[1], 420.0), S_IE, receptor="ex"),
        PoissonInput("I", np.full(sizes[1], 350.0), S_WEAK, receptor="ampa"),
        PoissonInput("LGN", 1000.0, 0.075, receptor="shot"),
        PoissonInput("LGN", round(flips_hz, _DIGITS), 1.0, receptor="flip"),
        *stimulus,
    )
    overhang = SIDE_UM - 2 * LAYER6_CORNER_UM
    return Network(
        populations=populations,
        projections=projections,
        inputs=inputs,
        dt_ms=DT_MS,
        title=f"Macaque V1 layer 4C-alpha (Chariker et al. 2016), density 1/{reduction:g}",
        parameters=parameters or {},
        space=Space(overhang, overhang, left=LAYER6_CORNER_UM, bottom=LAYER6_CORNER_UM, unit="um"),
    )


def _nearest(xy: np.ndarray, size: int) -> np.ndarray:
    """Return the cell of the full lattice of `size` cells nearest to each place."""
    columns = math.ceil(math.sqrt(size))
    place = np.clip(np.rint(xy * (columns / SIDE_UM)).astype(np.int64), 0, columns - 1)
    return np.minimum(place[:, 1] * columns + place[:, 0], size - 1)


def _inputs(starts: np.ndarray, inputs: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the number of inputs of listed cells, int [cell], and places of all of them in `inputs` with their LGN cells."""
    counts = (starts[1:] - starts[:-1])[cells].astype(np.int64)
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    place = np.repeat(starts[:-1][cells], counts).astype(np.int64) + within
    return counts, place, inputs[place].astype(np.int64)


def _from_lgn(target: str, found: tuple[np.ndarray, np.ndarray, np.ndarray], weights: np.ndarray) -> Projection:
    counts, place, source = found
    edges = ExplicitEdges(source, np.repeat(np.arange(len(counts)), counts), weights[place], np.full(len(place), DT_MS))
    return Projection("LGN", target, edges, receptor="ampa")


def _near(reach: tuple[float, float, float], factor: np.ndarray | float) -> DistanceDependent:
    sigma, cutoff, peak = reach
    return DistanceDependent(GaussianKernel(sigma, cutoff), p=peak * factor)


def _cortical(
    classes: list[np.ndarray], reduction: float, scheme: str, factors: tuple[float, ...]
) -> tuple[Projection, ...]:
    """Return the four recurrent projections."""
    out = []
    table = (
        ("E", "E", S_EE, P_EE, SIGMA_E, DENSITY_E), ("E", "I", S_IE, P_IE, SIGMA_E, DENSITY_E),
        ("I", "E", S_EI, P_EI, SIGMA_I, DENSITY_I), ("I", "I", S_II, P_II, SIGMA_I, DENSITY_I),
    )  # fmt: skip
    for (source, target, strength, peak, sigma, density), x in zip(table, factors):
        of_target = classes["EI".index(target)]
        kernel = GaussianKernel(sigma, 2 * sigma)
        full = expected_indegree(peak[of_target], sigma, density)
        if scheme == "in_degree" and reduction > 1:
            rule = DistanceDependent(kernel, p=reduction * peak[of_target], autapses=False)
        else:
            rule = DistanceDependent(
                kernel, indegree=full / reduction, autapses=False, clipped=True,
                redrawn_tails=0.1 if target == "E" else 0.0, classes=of_target if target == "E" else None,
            )  # fmt: skip
        s = strength * x * (reduction if scheme == "weights" else 1.0)
        varied: dict[str, tuple[Any, Any, tuple[str, ...]]] = {
            "EE": (Normal(s, 0.1 * abs(s)), DELAY_MS, ("delay",)),
            "EI": (s, DT_MS, ()),
            "IE": (Normal(s, 0.1 * abs(s)), DT_MS, ()),
            "II": (Uniform(0.85 * s, 0.65 * s), DT_MS, ("weight",)),
        }
        weight, delay, redrawn = varied[source + target]
        out.append(
            Projection(
                source,
                target,
                rule,
                weight,
                delay,
                receptor="ex" if source == "E" else "gaba",
                redrawn=redrawn,
                indegree_norm=full if scheme == "in_degree" and reduction > 1 else None,
            )
        )
    return tuple(out)
