"""Recordings whose ROIs have no names beyond themselves: each is a neuron of its own, `RECORDING:ROI`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from allometry.homogenize.reader import Source
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.recordings import RawRecording


def build(
    found: Sequence[activity.Lazy],
    source: Source,
    options: Mapping[str, Any],
    *,
    files: Mapping[str, Path],
    parameters: Mapping[str, Any],
    units: str | None = None,
) -> xr.DataTree:
    """Make an Activity store on the axis of all ROIs.

    Parameters
    ----------
    found : sequence of RawRecording, or of Pending ones that are left out
        Their labels are what tells the ROIs of one recording apart; they get the name of the recording in front.
    source, options, files, parameters, units
        As of `activity.build`.

    Returns
    -------
    xarray.DataTree
    """
    left = activity.left_out(options)
    raws = [raw for raw in found if isinstance(raw, RawRecording)]
    for raw in raws:
        raw.labels = [f"{raw.name}:{label}" for label in raw.labels]
    return activity.build(
        list(found),
        source,
        options,
        files=files,
        title=source.name,
        neurons=tuple(label for raw in raws if raw.name not in left for label in raw.labels),
        units=units,
        parameters=parameters,
    )
