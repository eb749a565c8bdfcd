"""A cell under steps of current or voltage: from its conductances to traces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allometry.models.cells import Cell
from allometry.simulate.kernels.channels.clamp import NEEDS, Current, Gate, run

CALCIUM_MM = 5e-5
"""Calcium in every cell at the start."""
REST_MS, STEADY_MS = 20.0, 10.0
"""How much of the end of the time before the step, and of the step, is taken for the rest and for the steady state."""


@dataclass(frozen=True)
class Traces:
    """What is recorded of a cell.

    Attributes
    ----------
    voltage : (step, time) float64
        mV, at every time step.
    total : (step, time) float64
        Current through the membrane, pA, outwards; without that into its capacitance.
    current : (current, step, sample) float64
        pA, of `Current` in its order.
    """

    voltage: np.ndarray
    total: np.ndarray
    current: np.ndarray


def recorded(
    cell: Cell,
    protocol: str,
    amplitudes: Sequence[float],
    *,
    onset_ms: float = 1000.0,
    duration_ms: float = 1000.0,
    after_ms: float = 0.0,
    holding_mv: float = -65.0,
    dt_ms: float = 0.1,
    sample_ms: float = 1.0,
) -> Traces:
    """Record a cell under all steps of a protocol.

    Parameters
    ----------
    cell : Cell
        See `models.cells.changed` for knock-outs and other parameters.
    protocol : {"current", "voltage"}
        What is commanded.
    amplitudes : sequence of float
        Steps, pA or mV.
    onset_ms, duration_ms, after_ms : float
        Time before, during and after the step.
    holding_mv : float
        Voltage at the start, with every gate at its rest (of channels coupled to a calcium channel: closed); a voltage clamp
        holds it outside of the step.
    dt_ms, sample_ms : float
        Time step, and time between samples of the currents of each channel.

    Returns
    -------
    Traces
        The same for any number of steps beside one another.
    """
    per_ns, conductance, needed = 1e-9 / cell.area_cm2, np.zeros(len(Current)), np.zeros(len(Gate), np.bool_)
    for name, value in cell.conductance_ns.items():
        conductance[Current[name]] = value * per_ns
        if value > 0:
            needed[list(NEEDS[Current[name]])] = True
    e_ca = np.nan if cell.e_ca_mv is None else cell.e_ca_mv
    held = protocol == "voltage"
    per_pa = 1e-9 / cell.area_cm2
    onset, offset, steps = (
        round(time / dt_ms) for time in (onset_ms, onset_ms + duration_ms, onset_ms + duration_ms + after_ms)
    )
    voltage, total, current = run(
        conductance,
        needed,
        float(cell.capacitance_uf_cm2),
        float(cell.e_leak_mv),
        float(e_ca),
        CALCIUM_MM,
        cell.e_ca_mv is None,
        float(holding_mv),
        np.asarray(amplitudes, np.float64) * (1.0 if held else per_pa),
        held,
        onset,
        offset,
        steps,
        float(dt_ms),
        round(sample_ms / dt_ms),
    )
    return Traces(voltage.T, total.T / per_pa, current.transpose(1, 2, 0) / per_pa)


def numbers(traces: Traces, onset_ms: float, duration_ms: float, dt_ms: float) -> dict[str, np.ndarray]:
    """What is read off the traces of each step.

    Parameters
    ----------
    traces : Traces
        Of one cell.
    onset_ms, duration_ms, dt_ms : float
        Of the protocol.

    Returns
    -------
    dict of str to ndarray [step]
        As the schema of Clamp stores names them; times beyond the end of the step are taken there.
    """
    onset, offset = round(onset_ms / dt_ms), round((onset_ms + duration_ms) / dt_ms)
    rest, steady = (max(1, round(time / dt_ms)) for time in (REST_MS, STEADY_MS))
    v, i = traces.voltage, traces.total
    settled = slice(max(onset, offset - steady), offset)
    # the first ms is left out: current that flows before any gate has moved
    after_first = i[:, min(onset + round(1.0 / dt_ms), offset - 1) : offset]
    farthest = np.abs(after_first).argmax(axis=1)
    return {
        "v_rest": v[:, max(0, onset - rest) : onset].mean(axis=1),
        "v_5ms": v[:, min(onset + round(5.0 / dt_ms), offset)],
        "v_50ms": v[:, min(onset + round(50.0 / dt_ms), offset)],
        "v_peak": v[:, onset:offset].max(axis=1),
        "v_steady": v[:, settled].mean(axis=1),
        "i_peak": np.take_along_axis(after_first, farthest[:, np.newaxis], axis=1)[:, 0],
        "i_steady": i[:, settled].mean(axis=1),
    }
