"""Observe the full network, and take the response tables from what was observed on some of its connectivities."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry import models, stores
from allometry.models.v1 import S_EE, S_EI, S_IE, S_II
from allometry.models.v1_stimulus import LEAST_CONTRAST
from allometry.network import Network
from allometry.scale.coarse.pixels import POPULATIONS, Sheet, Shown, network_inputs, sheet_of, shown
from allometry.scale.coarse.responses import Table, fit_table
from allometry.simulate.distribute.execution import Execution
from allometry.simulate.point import run_batch_of
from allometry.stores.schema import TEXT

#: What a spike/s of each input does to cells at the mean driven voltage (E .476, I .635), relative: in-degree of the mean cell of
#: the original, weight, area of the kernel, driving force (reversals 4.67 and -0.67).
EFFECT = {
    "E": np.array([195.7 * S_EE * 4.19, 101.9 * S_EI * 1.154 * 1.15, S_EE * 4.19]),
    "I": np.array([752.0 * S_IE * 4.03, 101.8 * 0.75 * S_II * 1.154 * 1.30, S_IE * 4.03]),
}


@dataclass(frozen=True, eq=False)
class Observation:
    """Spikes of every cell of one network under some stimuli.

    Parameters
    ----------
    sheet : Sheet
        Its pixels.
    shown : dict of str to dict of str to Shown
        By condition and population.
    counts : dict of str to dict of str to np.ndarray
        int [cell], by condition and population.
    contrast : dict of str to float
        By condition.
    duration_s : float
        Seconds that were counted.
    """

    sheet: Sheet
    shown: dict[str, dict[str, Shown]]
    counts: dict[str, dict[str, np.ndarray]]
    contrast: dict[str, float]
    duration_s: float

    def rates(self, condition: str) -> dict[str, np.ndarray]:
        """Mean rates of pixels by population, float [pixel], spikes/s."""
        return {
            name: self.sheet.mean_rates(self.counts[condition][name], name, self.duration_s) for name in POPULATIONS
        }


def table_of(contrast: float) -> str:
    """Name of the table that a contrast has."""
    return "driven" if contrast > LEAST_CONTRAST else "background"


def network(reduction: float, seed: int, stimulus: Mapping[str, float]) -> Network:
    """The network of a seed, which its wiring from the LGN has too, shown a stimulus."""
    return models.build("v1", {"reduction": reduction, "wiring_seed": seed, **stimulus})


def stimuli(orientations_deg: Sequence[float]) -> dict[str, dict[str, float]]:
    """The background and gratings of full contrast, by name of their condition."""
    return {
        "background": {"orientation_deg": 0.0, "contrast": 0.0},
        **{
            f"grating_{angle:g}".replace(".", "_"): {"orientation_deg": float(angle), "contrast": 1.0}
            for angle in orientations_deg
        },
    }


def observe(
    out: str | Path,
    reduction: float,
    seed: int,
    shown_stimuli: Mapping[str, Mapping[str, float]],
    duration_ms: float,
    skip_ms: float,
    execution: Execution,
) -> None:
    """Simulate a network under every stimulus and write the counts of its cells, a Zarr store with named axes.

    Parameters
    ----------
    out : path
        Store to write, int [condition, cell] for each population.
    reduction, seed : float, int
        How many times fewer cells than in the cortex; seed of the synapses and of the wiring from the LGN.
    shown_stimuli : mapping of str to mapping
        Parameters of the stimulus by condition.
    duration_ms, skip_ms : float
        Simulated time of each, and its warm-up that is left out, ms.
    execution : Execution
        Where and how to run.
    """
    given: dict[str, Any] = {
        "kind": "network", "model": "v1", "parameters": {"reduction": reduction, "wiring_seed": seed}, "seed": seed,
        "duration_ms": duration_ms, "precision": "fast", "record": {"populations": list(POPULATIONS)},
        "conditions": [{"name": name, "stimulus": dict(one)} for name, one in shown_stimuli.items()],
    }  # fmt: skip
    counts: dict[str, list[np.ndarray]] = {name: [] for name in POPULATIONS}
    seconds = 0.0
    place = Path(out)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".coarse-", dir=place.parent) as folder:
        places = [Path(folder) / f"{name}.zarr" for name in shown_stimuli]
        run_batch_of(given, places, execution=execution, overwrite=True)
        for path in places:
            store = stores.open(path)
            assert isinstance(store, xr.Dataset)
            first = np.searchsorted(store["spike_step"].values, np.ceil(skip_ms / float(store.attrs["dt_ms"]) - 1e-6))
            of_unit = np.bincount(store["spike_unit"].values[first:], minlength=store.sizes["unit"])
            seconds = (float(store.attrs["duration_ms"]) - skip_ms) / 1e3
            for name in POPULATIONS:
                counts[name].append(of_unit[store["population"].values == name])
    xr.Dataset(
        {name: (("condition", f"cell_{name}"), np.array(of), {"units": "1"}) for name, of in counts.items()},
        coords={"condition": np.array(list(shown_stimuli), TEXT)},
        attrs={
            "title": "Spikes of every cell of V1", "reduction": reduction, "seed": seed, "duration_s": seconds,
            "orientation_deg": [float(one["orientation_deg"]) for one in shown_stimuli.values()],
            "contrast": [float(one["contrast"]) for one in shown_stimuli.values()],
        },
    ).to_zarr(place, mode="w", consolidated=False, zarr_format=3)  # fmt: skip


def read_observation(path: str | Path, pixel_um: float) -> Observation:
    """What `observe` wrote, in pixels of a side in um."""
    with xr.open_zarr(path, consolidated=False) as found:
        attrs = found.attrs
        names = [str(name) for name in found["condition"].values]
        values = {name: found[name].values for name in POPULATIONS}
    seen = {
        name: {"orientation_deg": angle, "contrast": contrast}
        for name, angle, contrast in zip(names, attrs["orientation_deg"], attrs["contrast"], strict=True)
    }
    first = network(attrs["reduction"], attrs["seed"], seen[names[0]])
    sheet = sheet_of(first, pixel_um)
    return Observation(
        sheet,
        {name: shown(sheet, network(attrs["reduction"], attrs["seed"], seen[name]).inputs) for name in names},
        {name: {p: values[p][k] for p in POPULATIONS} for k, name in enumerate(names)},
        {name: float(one["contrast"]) for name, one in seen.items()},
        float(attrs["duration_s"]),
    )


def fit_tables(observations: Sequence[Observation], network: bool = True) -> dict[str, dict[str, Table]]:
    """Tables of every contrast and population, from all observations together.

    Parameters
    ----------
    observations : sequence of Observation
        Of equal length, on connectivities that the tables are not tested on.
    network : bool
        Without it, those of the baseline: the LGN and the class alone.

    Raises
    ------
    SimulationError
        See `responses.fit_table`.
    """
    contrasts = dict.fromkeys(table_of(c) for one in observations for c in one.contrast.values())
    return {kind: {name: _fit(observations, kind, name, network) for name in POPULATIONS} for kind in contrasts}


def _fit(observations: Sequence[Observation], kind: str, name: str, network: bool) -> Table:
    spikes, classes, own, inputs, pixel = [], [], [], [], []
    places = 0
    for one in observations:
        cells = one.sheet.cells[name]
        for condition, contrast in one.contrast.items():
            if table_of(contrast) != kind:
                continue
            given = network_inputs(one.sheet, one.shown[condition], one.rates(condition))[name]
            spikes.append(one.counts[condition][name])
            classes.append(cells.lgn_inputs)
            own.append(one.shown[condition][name].own)
            inputs.append(given)
            pixel.append(cells.pixel + places)
            places += len(given)
    return fit_table(
        np.concatenate(spikes),
        np.concatenate(classes),
        np.concatenate(own),
        np.concatenate(inputs),
        np.concatenate(pixel),
        observations[0].duration_s,
        network,
        EFFECT[name],
    )
