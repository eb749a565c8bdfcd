"""Bursts of a population in numbers: how often, how long, and with how many of its units."""

import numpy as np

from allometry.compare.inputs.spike_trains import Trains
from allometry.compare.measures.spikes.population_bursts import population_bursts

BURSTS = {"burst_rate": "1/min", "burst_duration": "ms", "burst_participation": "1", "burst_share": "1"}
"""What is told of bursts, and the units."""

BIN_S = 0.025
FEWEST_BURSTS = 5


def burst_numbers(trains: Trains) -> tuple[dict[str, float], str]:
    """Numbers of the bursts of all units together, and why some are missing; empty where none is.

    Parameters
    ----------
    trains : Trains
        Of the units that count.

    Returns
    -------
    dict of str to float
        `burst_rate`, per minute; `burst_duration`, ms, `burst_participation` and `burst_share`, of all spikes, where there are
        at least `FEWEST_BURSTS` of them.
    str
        The reason.
    """
    if trains.duration_s < BIN_S:
        return {}, f"{trains.duration_s:g} s, less than a bin of {1000 * BIN_S:g} ms"
    # one threshold for all that are compared, whatever their mean rates
    found = population_bursts(np.asarray(trains.counts(BIN_S).todense()), BIN_S, factor=0.0)
    out = {"burst_rate": found.per_minute}
    if found.start.size < FEWEST_BURSTS:
        return out, f"{found.start.size} bursts, fewer than {FEWEST_BURSTS}"
    out["burst_duration"] = 1000 * float(found.durations_s.mean())
    out["burst_participation"] = float(found.participation.mean())
    out["burst_share"] = found.fraction_in_bursts
    return out, ""
