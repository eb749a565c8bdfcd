"""What mean-field theory says of every size: which moments of the input a reduction keeps, and which it changes."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from allometry.errors import SimulationError
from allometry.models.theory.mean_field import mean_field
from allometry.network import Network

AXES = ("size", "scheme", "modelled")
"""Axes of the table; `modelled` are the populations of the model, without all of them together."""
MOMENTS = {"mean_mv": "mV", "sd_mv": "mV", "skewness": "1", "shared": "1", "psp_mv": "mV"}
"""Moments of the input at the rates of the reference (`models.mean_field.MeanField`), and their units."""


def mean_field_table(
    networks: Mapping[tuple[float, str], Network],
    populations: Sequence[str],
    reference_hz: Mapping[str, Mapping[str, float]],
) -> xr.Dataset | str:
    """Rates and moments of the input by size, scheme and population.

    Parameters
    ----------
    networks : mapping of (size, scheme) to Network
        Without calibrated factors.
    populations : sequence of str
        Order of the populations.
    reference_hz : mapping of str to mapping of str to float
        By scheme and population: measured rates of the reference, spikes/s, at which the moments are taken; where there are
        none, the rates of the theory.

    Returns
    -------
    Dataset or str
        `rate_hz` (self-consistent), `kept_hz` (what every population would do if the others fired as in the reference) and
        `MOMENTS`, each [size, scheme, modelled]; the reason in words where the theory does not cover the model.
    """
    sizes = list(dict.fromkeys(size for size, _ in networks))
    schemes = list(dict.fromkeys(scheme for _, scheme in networks))
    shape = (len(sizes), len(schemes), len(populations))
    names = ("rate_hz", "kept_hz", *MOMENTS)
    values = {name: np.full(shape, np.nan) for name in names}
    for (size, scheme), net in networks.items():
        try:
            free = mean_field(net)
            given = _in_order(reference_hz.get(scheme, {}), free.populations)
            held = mean_field(net, given) if given is not None else free
        except SimulationError as error:
            return error.what
        at = (sizes.index(size), schemes.index(scheme))
        column = [free.populations.index(name) for name in populations]
        values["rate_hz"][at] = free.rate_hz[column]
        values["kept_hz"][at] = held.rate_hz[column]
        for name in MOMENTS:
            values[name][at] = getattr(held, name)[column]
    units = {"rate_hz": "Hz", "kept_hz": "Hz", **MOMENTS}
    coords = {"size": sizes, "scheme": np.array(schemes, object), "modelled": np.array(populations, object)}
    return xr.Dataset(
        {name: (AXES, values[name], {"units": units[name]}) for name in names},
        coords={axis: (axis, coords[axis]) for axis in AXES},
    )


def _in_order(rates: Mapping[str, float], names: Sequence[str]) -> np.ndarray | None:
    if not all(np.isfinite(rates.get(name, np.nan)) for name in names):
        return None
    return np.array([rates[name] for name in names])
