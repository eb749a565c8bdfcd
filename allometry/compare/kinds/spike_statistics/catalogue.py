"""Statistics that a store has in a table of all units of a collection, in place of their spikes."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from allometry.compare.inference.ecdf import Sample
from allometry.compare.kinds.spike_statistics.profile import Profile
from allometry.compare.measures.spikes.timescales import LONGEST_S, SHORTEST_S
from allometry.errors import ComparisonError

TIMESCALE, AREA = "catalogued_timescale_ac", "catalogued_area"
NEAR = 0.01
"""Share of a bound within which a fit has run into it."""


def has_timescales(store: xr.Dataset) -> bool:
    """Whether the store has a table of timescales."""
    return TIMESCALE in store


def keep_timescales(profile: Profile, store: xr.Dataset, areas: Sequence[str], note: dict[str, str]) -> None:
    """Put the timescales of the table, ms, into the profile of all units, in place of those of the few with spikes.

    Parameters
    ----------
    profile : Profile
        Of all units of the store.
    store : Dataset
        With `catalogued_timescale_ac` [catalogued_unit], ms, and `catalogued_area`.
    areas : sequence of str
        Areas whose units count; none: all.
    note : dict
        Gets how the statistic was made, in words.

    Raises
    ------
    ComparisonError
        An area that the table does not have.
    """
    value, area = store[TIMESCALE].values.astype(np.float64), store[AREA].values.astype(object)
    known = sorted({name for name in area.tolist() if name})
    if unknown := [name for name in areas if name not in known]:
        raise ComparisonError(
            f"no unit is of area {unknown[0]!r}", where="areas", expected="some of " + ", ".join(known)
        )
    listed = np.isfinite(value) & (np.isin(area, areas) if areas else True)
    bound = (value < 1000 * SHORTEST_S * (1 + NEAR)) | (value > 1000 * LONGEST_S * (1 - NEAR))
    profile.reasons.pop("timescale", None)
    profile.keep("timescale", Sample.of_units(value[listed & ~bound]), "units of the table")
    note["timescale"] = (
        f"of the table of its collection: {int((listed & ~bound).sum())} units of {', '.join(areas) or 'all areas'}, without "
        f"{int((listed & bound).sum())} whose fit ran into a bound; how its authors fitted is not in the file"
    )
