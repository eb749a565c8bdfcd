"""Areas of the multi-area model of macaque visual cortex: what the model reads of the store, and what stands for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.hints import hint

Floats = NDArray[np.float64]

POPULATIONS = ("23E", "23I", "4E", "4I", "5E", "5I", "6E", "6I")
AREAS = (
    "V1", "V2", "VP", "V3", "V3A", "MT", "V4t", "V4", "VOT", "MSTd", "PIP", "PO", "DP", "MIP", "MDP", "VIP", "LIP", "PITv", "PITd",
    "MSTl", "CITv", "CITd", "FEF", "TF", "AITv", "FST", "7a", "STPp", "STPa", "46", "AITd", "TH",
)  # fmt: skip
#: Neurons of all areas together, and full-scale rates (Hz) of the low state, mean over the areas (tests/fullscale_rates.json of
#: the authors: the mean-field rates with g -16 and every external factor 1).
NEURONS = np.array([1458147, 411296, 800618, 200164, 471137, 103456, 568762, 116479])
RATES_HZ = np.array([0.199, 1.732, 5.353, 2.677, 0.155, 4.448, 0.0019, 3.905])

_NEEDED = ("area", "type", "sign", "neurons", "external_indegree", "rate_hz", "indegree", "delay", "source", "target")


@dataclass(frozen=True, eq=False)
class Structure:
    """Populations, and in-degrees from one to another.

    Parameters
    ----------
    labels : list of str
        Names of the populations.
    area, kind : object [population]
        Area, and type within it.
    sign, neurons, external, rate_hz : float [population]
        Sign of its synapses, neurons at full scale, external in-degree, full-scale rate (Hz).
    source, target : int [edge]
        Populations by number.
    indegree, delay_ms : float [edge]
        Synapses of a target neuron, mean delay (ms).
    """

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


def structure_of(store: xr.Dataset) -> Structure:
    """Read a store of the reader `multi_area`.

    Raises
    ------
    SimulationError
        The store lacks something, or the rate of a population is not known.
    """
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
    return Structure(
        list(text["node"]),
        text["area"],
        text["type"],
        number["sign"],
        number["neurons"],
        number["external_indegree"],
        unknown,
        np.asarray(store["source"].values, np.int64),
        np.asarray(store["target"].values, np.int64),
        np.asarray(store["indegree"].values, np.float64),
        np.asarray(store["delay"].values, np.float64),
    )


def chosen_areas(structure: Structure, areas: str | Sequence[str]) -> list[str]:
    """The areas to simulate, in the order of the store.

    Raises
    ------
    SimulationError
        An area is unknown, or none is named.
    """
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


def _names(areas: str | Sequence[str]) -> list[str]:
    return (
        [name.strip() for name in areas.split(",") if name.strip()] if isinstance(areas, str) else list(map(str, areas))
    )
