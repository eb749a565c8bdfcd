"""Observe the full network, and take the response tables from what was observed on some of its connectivities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from dask.base import compute
from dask.delayed import delayed

from allometry import models, stores
from allometry.models.v1_stimulus import LEAST_CONTRAST
from allometry.network import Network
from allometry.scale.coarse.fixed_point import FloatArray, drives_at, matched
from allometry.scale.coarse.pixels import POPULATIONS, Sheet, Shown, network_inputs, sheet_of, shown
from allometry.scale.coarse.regression import Sample, fit, joined, with_gains_of
from allometry.scale.coarse.responses import DRIVES, Table, covered
from allometry.simulate.distribute.execution import Execution
from allometry.simulate.point import run_batch_of

KNOWN = {
    "drawn": "the connections, as summed weights of every cell",
    "expected": "the connections of a class of cells on average",
    "own": "the LGN inputs, the class and the threshold, and nothing of the network",
}
"""What a table knows of a network, from most to least; the last is the baseline."""
PIECE_S = 0.5
"""Spikes are counted in pieces of so many seconds, s."""
_MATCHES = 3


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
    pieces : dict of str to dict of str to np.ndarray
        float [piece, pixel], spikes/s in every piece of `piece_s`, by condition and population.
    contrast, orientation_deg : dict of str to float
        By condition.
    duration_s, piece_s : float
        Seconds that were counted, and of each piece.
    seed : int
        Of the network.
    """

    sheet: Sheet
    shown: dict[str, dict[str, Shown]]
    counts: dict[str, dict[str, np.ndarray]]
    pieces: dict[str, dict[str, np.ndarray]]
    contrast: dict[str, float]
    orientation_deg: dict[str, float]
    duration_s: float
    piece_s: float
    seed: int

    def rates(self, condition: str) -> dict[str, FloatArray]:
        """Mean rates of pixels by population, float [pixel], spikes/s."""
        return {name: self.sheet.pixel_means(name, self.cell_rates(condition, name)) for name in POPULATIONS}

    def cell_rates(self, condition: str, population: str) -> FloatArray:
        """Mean rates of cells, float [cell], spikes/s."""
        return np.asarray(self.counts[condition][population] / self.duration_s)

    def of(self, kind: str) -> list[str]:
        """Conditions of a contrast, by the name of its table."""
        return [name for name, contrast in self.contrast.items() if table_of(contrast) == kind]


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
    places: Sequence[str | Path],
    reduction: float,
    seed: int,
    shown_stimuli: Mapping[str, Mapping[str, float]],
    duration_ms: float,
    execution: Execution,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Simulate a network under every stimulus and write its Spikes stores.

    Parameters
    ----------
    places : sequence of path
        A store for each stimulus, in their order.
    reduction, seed : float, int
        How many times fewer cells than in the cortex; seed of the synapses and of the wiring from the LGN.
    shown_stimuli : mapping of str to mapping
        Parameters of the stimulus by condition.
    duration_ms : float
        Simulated time of each, ms.
    execution : Execution
        Where and how to run.
    provenance : mapping, optional
        For the manifests.
    """
    given: dict[str, Any] = {
        "kind": "network", "model": "v1", "parameters": {"reduction": reduction, "wiring_seed": seed}, "seed": seed,
        "duration_ms": duration_ms, "precision": "fast", "record": {"populations": list(POPULATIONS)},
        "conditions": [{"name": name, "stimulus": dict(one)} for name, one in shown_stimuli.items()],
    }  # fmt: skip
    run_batch_of(given, places, execution=execution, provenance=provenance, overwrite=True)


def read_observation(
    places: Mapping[str, str | Path],
    reduction: float,
    seed: int,
    shown_stimuli: Mapping[str, Mapping[str, float]],
    skip_ms: float,
    pixel_um: float,
    drawn: bool = True,
) -> Observation:
    """What `observe` wrote, in pixels.

    Parameters
    ----------
    places : mapping of str to path
        Spikes store by condition.
    reduction, seed, shown_stimuli
        As of `observe`.
    skip_ms : float
        Warm-up that is left out, ms.
    pixel_um : float
        Side of a pixel, um.
    drawn : bool
        Whether the connections of the network are drawn, so that what each cell is given is known.
    """
    first = network(reduction, seed, next(iter(shown_stimuli.values())))
    sheet = sheet_of(first, pixel_um, seed if drawn else None)
    counts, pieces = {}, {}
    seconds = piece_s = 0.0
    for name, path in places.items():
        found, seconds = _counted(path, skip_ms)
        counts[name] = {p: of.sum(axis=0) for p, of in found.items()}
        piece_s = seconds / len(found["E"])
        pieces[name] = {p: np.array([sheet.pixel_means(p, one) for one in of]) / piece_s for p, of in found.items()}
    return Observation(
        sheet,
        {name: shown(sheet, network(reduction, seed, one).inputs) for name, one in shown_stimuli.items()},
        counts,
        pieces,
        {name: float(one["contrast"]) for name, one in shown_stimuli.items()},
        {name: float(one["orientation_deg"]) for name, one in shown_stimuli.items()},
        seconds,
        piece_s,
        seed,
    )


def _counted(path: str | Path, skip_ms: float) -> tuple[dict[str, np.ndarray], float]:
    """Spikes of every cell in every piece, int [piece, cell], by population, and the seconds in all."""
    store = stores.open(path)
    assert isinstance(store, xr.Dataset)
    dt_ms, n = float(store.attrs["dt_ms"]), store.sizes["unit"]
    seconds = (float(store.attrs["duration_ms"]) - skip_ms) / 1e3
    pieces = max(1, round(seconds / PIECE_S))
    step = store["spike_step"].values
    first = np.searchsorted(step, np.ceil(skip_ms / dt_ms - 1e-6))
    unit = store["spike_unit"].values[first:].astype(np.int64)
    piece = ((step[first:] * dt_ms - skip_ms) * (pieces / (1e3 * seconds))).astype(np.int64)
    of_unit = np.bincount(np.clip(piece, 0, pieces - 1) * n + unit, minlength=pieces * n).reshape(pieces, n)
    population = store["population"].values
    return {name: of_unit[:, population == name] for name in POPULATIONS}, seconds


def fit_tables(
    drawn: Sequence[Observation], expected: Sequence[Observation] = ()
) -> dict[str, dict[str, dict[str, Table]]]:
    """Tables by what is known (`KNOWN`), contrast and population, from all observations together.

    Gains are those by which cells of one class differ that happen to be given more or fewer synapses, from more or less active
    cells: chance of the wiring, which no cell's own spikes have a share in. Biases are then fitted to what the solver knows.

    Parameters
    ----------
    drawn : sequence of Observation
        With connections, of equal length, on connectivities that the tables are not tested on.
    expected : sequence of Observation
        The same without connections; none: without the tables for them.

    Raises
    ------
    SimulationError
        See `regression.fit`.
    """
    kinds = list(dict.fromkeys(table_of(c) for one in drawn for c in one.contrast.values()))
    pairs = [(kind, name) for kind in kinds for name in POPULATIONS]
    # each regression is a task: those of contrasts and populations need nothing of one another
    found = compute(*[delayed(_gains, pure=False)(drawn, kind, name) for kind, name in pairs], scheduler="threads")
    gains: dict[str, dict[str, Table]] = {kind: {} for kind in kinds}
    for (kind, name), table in zip(pairs, found, strict=True):
        gains[kind][name] = table
    out = {
        "drawn": {kind: _drawn(drawn, kind, gains[kind]) for kind in kinds},
        "expected": {kind: _biased(expected, kind, gains[kind]) for kind in kinds} if expected else {},
        "own": {kind: _biased(drawn, kind, {p: _without_gains(t) for p, t in gains[kind].items()}) for kind in kinds},
    }
    return {known: tables for known, tables in out.items() if tables}


def _gains(observations: Sequence[Observation], kind: str, name: str) -> Table:
    """The table of a contrast and population at what its cells were really given."""
    samples, inputs = [], []
    for one in observations:
        cells = one.sheet.cells[name]
        assert cells.recurrent is not None
        for condition in one.of(kind):
            given = one.shown[condition][name]
            excited = cells.recurrent["E"] @ one.cell_rates(condition, "E") + given.layer6
            inhibited = cells.recurrent["I"] @ one.cell_rates(condition, "I")
            samples.append(_sample(one, condition, name, np.stack([excited, inhibited], axis=1)))
            inputs.append(network_inputs(one.sheet, one.shown[condition], one.rates(condition))[name])
    low, high = covered(np.concatenate(inputs))
    return replace(fit(joined(samples)), low=low, high=high)


def _drawn(observations: Sequence[Observation], kind: str, gains: Mapping[str, Table]) -> dict[str, Table]:
    """Biases for in-degrees that are effective by the tables themselves, which are made to agree."""
    tables = _biased(observations, kind, gains)
    for _ in range(_MATCHES):
        observations = [
            replace(
                one,
                sheet=matched(
                    one.sheet,
                    {c: one.shown[c] for c in one.of(kind)},
                    tables,
                    {c: one.rates(c) for c in one.of(kind)},
                ),
            )
            for one in observations
        ]
        tables = _biased(observations, kind, gains)
    return tables


def _biased(observations: Sequence[Observation], kind: str, gains: Mapping[str, Table]) -> dict[str, Table]:
    out = {}
    for name, table in gains.items():
        samples = []
        for one in observations:
            cells = one.sheet.cells[name]
            for condition in one.of(kind):
                given = one.shown[condition]
                inputs = network_inputs(one.sheet, given, one.rates(condition))[name]
                samples.append(_sample(one, condition, name, drives_at(cells, given[name], inputs)))
        out[name] = with_gains_of(table, joined(samples))
    return out


def _without_gains(table: Table) -> Table:
    return replace(table, gain=np.zeros_like(table.gain))


def _sample(one: Observation, condition: str, name: str, drives: FloatArray) -> Sample:
    assert drives.shape[1] == len(DRIVES)
    return Sample(
        one.counts[condition][name],
        one.sheet.cells[name].lgn_inputs,
        one.shown[condition][name].own,
        drives,
        one.duration_s,
    )
