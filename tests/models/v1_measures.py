"""What is measured of macaque V1's spikes, as the published model's were: rates, orientation tuning, spectra of spike counts."""

import numpy as np

from allometry.models import v1_wiring

FIRST_MS, LAST_MS = 500.0, 2000.0
N_E, N_I = v1_wiring.N_EXCITATORY, v1_wiring.N_INHIBITORY
ORIENTATIONS_DEG = np.arange(8) * 22.5
CELLS = {"E": slice(0, N_E), "I": slice(N_E, N_E + N_I), "LGN": slice(N_E + N_I, N_E + N_I + v1_wiring.N_LGN)}
XY = {"E": v1_wiring.lattice(N_E), "I": v1_wiring.lattice(N_I)}
#: The hypercolumn in the middle.
CENTRAL = {name: ((xy >= 500.0) & (xy < 1000.0)).all(axis=1) for name, xy in XY.items()}
PREFERRED_DEG = {name: np.degrees(v1_wiring.preferred_orientation(xy)) for name, xy in XY.items()}


def rates(spikes: np.ndarray) -> np.ndarray:
    """Rate of every cell, Hz; spikes (step << 32 | cell) of 0.5 to 2 s."""
    counts = np.bincount(spikes & 0xFFFFFFFF, minlength=CELLS["LGN"].stop)
    return counts[: CELLS["LGN"].stop] / (LAST_MS - FIRST_MS) * 1e3


def preferred_orthogonal(by_orientation: np.ndarray, name: str) -> tuple[float, float]:
    """Mean rates of central cells whose map is within 11 degrees of the grating, and of what is across it."""
    own = by_orientation[:, CELLS[name]][:, CENTRAL[name]]
    map_deg = PREFERRED_DEG[name][CENTRAL[name]]
    apart = np.abs((map_deg - ORIENTATIONS_DEG[:, None] + 90.0) % 180.0 - 90.0)
    near, across = ([r[where].mean() for r, where in zip(own, chosen)] for chosen in (apart < 11.0, apart > 79.0))
    return float(np.mean(near)), float(np.mean(across))


def one_minus_cv(by_orientation: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """1 - circular variance of all central cells, and which of them have more than 1 spike/s."""
    own = by_orientation[:, CELLS[name]][:, CENTRAL[name]]
    total = own.sum(axis=0)
    resultant = np.abs((own * np.exp(2j * np.radians(ORIENTATIONS_DEG))[:, None]).sum(axis=0))
    return resultant / np.maximum(total, 1e-12), own.mean(axis=0) > 1.0


def spectrum(spikes: np.ndarray, cells: np.ndarray, dt_ms: float = 0.1) -> np.ndarray:
    """Power over that of Poisson trains of the summed spikes of some cells at 0, 2, 4, ... Hz: segments of 500 ms, averaged."""
    chosen = spikes[np.isin(spikes & 0xFFFFFFFF, cells)] >> 32
    bins = ((chosen - round(FIRST_MS / dt_ms)) * dt_ms).astype(np.int64)
    counts = np.bincount(bins, minlength=1500)[:1500].astype(float)
    halves = np.concatenate([counts.reshape(3, 500), counts[250:1250].reshape(2, 500)])
    power = np.abs(np.fft.rfft(halves - halves.mean(axis=1, keepdims=True), axis=1)) ** 2
    return np.asarray(power.mean(axis=0) / (500 * counts.mean()))


def central_spectrum(spikes: np.ndarray) -> np.ndarray:
    """Of the E cells of the central hypercolumn."""
    return spectrum(spikes, np.flatnonzero(CENTRAL["E"]))


def disc_spectrum(spikes: np.ndarray) -> np.ndarray:
    """Of the E and I cells of discs of 60 um, mean over 64 discs of the central hypercolumn."""
    found = []
    for x in np.arange(530.0, 1000.0, 60.0):
        for y in np.arange(530.0, 1000.0, 60.0):
            inside = [
                np.flatnonzero(((XY[name] - [x, y]) ** 2).sum(axis=1) < 60.0**2) + CELLS[name].start for name in "EI"
            ]
            found.append(spectrum(spikes, np.concatenate(inside)))
    return np.mean(found, axis=0)


def peak_hz(power: np.ndarray) -> float:
    """Where a spectrum of `spectrum` is largest between 20 and 120 Hz."""
    return float(20 + 2 * np.argmax(power[10:61]))
