"""Populations of a Responses store as arrays [stimuli, repeats, units], with what is known of each stimulus.

A store lists presentations; here they become a design: which presentations are repeats of which stimulus, and which
units (all, or those of one area) were recorded in all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.compare.inference.arrays import FloatArray
from allometry.errors import ComparisonError

PARAMETERS = (
    "direction",
    "orientation",
    "spatial_frequency",
    "temporal_frequency",
    "contrast",
    "phase",
    "size",
    "x_position",
    "y_position",
    "frame",
)
"""Columns of a presentation table that describe what was shown (degree, cycles per degree, Hz, ...)."""

ANGLES = ("direction", "orientation")
FEWEST_UNITS = 5


@dataclass(frozen=True)
class Population:
    """Units that were recorded together, and what was shown to them.

    Attributes
    ----------
    name, store : str
        `store`, or `store area`.
    responses : ndarray, shape (stimuli, repeats, units)
        A missing presentation is NaN in every unit; the repeats of a stimulus come first, in order of time.
    stimuli : DataFrame, one row per stimulus
        `label`, `kind`, `blank`, and those of `PARAMETERS` that the table has and that are one value per stimulus.
    units : ndarray of str, shape (units,)
    notes : tuple of str
        What was left out or averaged.
    order : ndarray, shape (stimuli, repeats), or None
        When each presentation was shown: onsets (s), or places in the table; NaN where there is none.
    """

    name: str
    store: str
    responses: FloatArray
    stimuli: pd.DataFrame
    units: np.ndarray
    notes: tuple[str, ...] = field(default=())
    order: FloatArray | None = None

    @property
    def repeats(self) -> np.ndarray:
        """Presentations of each stimulus, shape (stimuli,)."""
        return np.asarray(np.isfinite(self.responses[:, :, 0]).sum(axis=1))

    @property
    def balanced(self) -> bool:
        """Whether every stimulus was shown equally often."""
        return bool(np.isfinite(self.responses).all())

    @property
    def means(self) -> FloatArray:
        """Mean over repeats, shape (stimuli, units)."""
        return np.asarray(np.nanmean(self.responses, axis=1))

    def angles(self) -> tuple[str, FloatArray] | None:
        """Name and values (rad) of the angle that tells the stimuli apart; None where there is none, or gaps in it."""
        for name in ANGLES:
            if name not in self.stimuli:
                continue
            shown = self.stimuli[~self.stimuli["blank"]]
            angle = np.mod(shown[name].to_numpy(float), 360.0)
            period = 180.0 if name == "orientation" else 360.0
            steps = np.diff(np.sort(angle), append=np.sort(angle)[:1] + period)
            if len(angle) >= 4 and len(angle) == len(self.stimuli) and np.allclose(steps, period / len(angle)):
                return name, np.deg2rad(shown[name].to_numpy(float))
        return None


def model_notes(inputs: Mapping[str, xr.Dataset | xr.DataTree]) -> dict[str, str]:
    """What simulated responses stand for, by `{store}: model`: for the notes of a result, and so on its card."""
    told = {name: stores.attribute(store, "derived").get("model") for name, store in inputs.items()}
    return {f"{name}: model": str(text) for name, text in told.items() if text}


def presentation_table(store: xr.Dataset, name: str) -> pd.DataFrame:
    """Columns over `presentation` of a Responses store, with `direction` and `blank` where they can be told.

    The orientation of a drifting grating is its direction of motion in the tables of the Allen Institute.
    """
    if "response" not in store or "presentation" not in store["response"].dims:
        raise ComparisonError(f"{name} is no store of responses", where=name, expected="a store of kind Responses")
    columns = {str(k): v.values for k, v in store.variables.items() if v.dims == ("presentation",)}
    table = pd.DataFrame({k: v.astype(object) if v.dtype.kind == "T" else v for k, v in columns.items()})
    for parameter in PARAMETERS:
        if parameter in table:
            table[parameter] = pd.to_numeric(table[parameter], errors="coerce").astype(float)
    drifting = table["stimulus"].astype(str).str.startswith("drifting").to_numpy()
    if "orientation" in table and "direction" not in table and drifting.any():
        table["direction"] = table["orientation"].where(drifting)
        # What is left is an orientation only if something else than drifting gratings was shown.
        table["orientation"] = table["orientation"].mask(drifting)
    for angle in ANGLES:
        if angle in table:
            table[angle] = np.mod(table[angle], 360.0)
    named = table["condition"].astype(str).str.endswith("/blank")
    table["blank"] = (table["blank"].astype(bool) if "blank" in table else False) | named
    return table.drop(columns=[name for name in PARAMETERS if name in table and table[name].isna().all()])


def populations(
    name: str,
    store: xr.Dataset,
    *,
    stimulus: str | None = None,
    by: Sequence[str] | None = None,
    blanks: bool = False,
    fewest_repeats: int = 2,
    areas: bool = True,
) -> list[Population]:
    """Populations of a store: one per brain area where several are told apart, else one.

    Parameters
    ----------
    name : str
        Name of the store.
    store : Dataset
        Responses.
    stimulus : str, optional
        Kind of stimulus; may be left out where the store holds one only.
    by : sequence of str, optional
        Columns whose values make a stimulus; presentations that differ in other columns are pooled. Default: the
        conditions of the store.
    blanks : bool
        Keep blank screens as a stimulus.
    fewest_repeats : int
        Stimuli shown less often are left out.
    areas : bool
        Tell areas apart; areas of fewer than 5 units are left out.

    Raises
    ------
    ComparisonError
        An unknown stimulus or column, or fewer than 3 stimuli or 5 units that remain.
    """
    table = presentation_table(store, name)
    chosen, notes = _presentations(table, name, stimulus)
    if not blanks:
        chosen = chosen & ~table["blank"].to_numpy()
    response, window = _windowed(store, table)
    notes += window
    chosen = chosen & np.isfinite(response).any(axis=0)
    keys = _keys(table, by, name)
    chosen = chosen & keys.notna().to_numpy()
    groups = [np.asarray(rows) for _, rows in table[chosen].groupby(keys[chosen], sort=False).groups.items()]
    kept = [_in_time(table, rows) for rows in groups if len(rows) >= fewest_repeats]
    if len(kept) < 3:
        raise ComparisonError(
            f"{len(kept)} stimuli were shown at least {fewest_repeats} times",
            where=name,
            expected="at least 3 stimuli with repeats",
            do="pool presentations with `by`, lower `fewest_repeats`, or leave this store out",
        )
    if len(kept) < len(groups):
        notes += (
            f"{len(groups) - len(kept)} of {len(groups)} stimuli were shown fewer than {fewest_repeats} times and left out",
        )
    stimuli = pd.DataFrame([_described(table.loc[rows], by) for rows in kept])
    order = stimuli.sort_values([c for c in (*(by or ()), *PARAMETERS, "label") if c in stimuli]).index
    stimuli, kept = stimuli.loc[order].reset_index(drop=True), [kept[i] for i in order]
    known = np.asarray(np.isfinite(response[:, np.concatenate(kept)]).all(axis=1))
    if not known.all():
        notes += (f"{int((~known).sum())} units that lack some presentation were left out",)
    when = table[_clock(table)].to_numpy(float)
    shown_at = np.array(
        [np.pad(when[rows], (0, max(map(len, kept)) - len(rows)), constant_values=np.nan) for rows in kept]
    )
    found = []
    for label, units in _units(store, name, known, areas):
        cube = _cube(response, kept, units)
        found.append(Population(label, name, cube, stimuli, _names(store, units), notes, shown_at))
    return found


def _presentations(table: pd.DataFrame, name: str, stimulus: str | None) -> tuple[np.ndarray, tuple[str, ...]]:
    kinds = table["stimulus"].astype(str)
    names = sorted(set(kinds))
    if stimulus is None and len(names) > 1:
        raise ComparisonError(
            f"{name} holds {len(names)} kinds of stimulus",
            where=name,
            expected="`stimulus`: one of " + ", ".join(names),
            do="name one",
        )
    if stimulus is not None and stimulus not in names:
        raise ComparisonError(f"{name} has no stimulus {stimulus!r}", where=name, expected="one of " + ", ".join(names))
    chosen = (kinds == (stimulus or names[0])).to_numpy()
    if "invalid" not in table:
        return chosen, ()
    invalid = table["invalid"].astype(bool).to_numpy()
    left = int((chosen & invalid).sum())
    return chosen & ~invalid, (f"{left} presentations that the source calls invalid were left out",) if left else ()


def _windowed(store: xr.Dataset, table: pd.DataFrame) -> tuple[FloatArray, tuple[str, ...]]:
    """Response [unit, presentation]: of lags, the mean from onset to the end of the stimulus."""
    values = store["response"].transpose("unit", "presentation", ...).values.astype(float)
    if values.ndim == 2:
        return values, ()
    lag = store["lag"].values
    end = float(np.nanmedian(table["duration"])) if "duration" in table else np.inf
    inside = (lag >= 0) & (lag < end)
    if not inside.any():
        raise ComparisonError("no lag falls into the stimulus", where="lag", expected="lags from 0 to the duration")
    return values[:, :, inside].mean(axis=2), (f"mean over the {int(inside.sum())} lags during the stimulus",)


def _keys(table: pd.DataFrame, by: Sequence[str] | None, name: str) -> pd.Series:
    """What makes a stimulus, as text per presentation; missing where it is not known."""
    condition = table["condition"].astype(str)
    if by is None:
        return condition
    unknown = [column for column in by if column not in table]
    if unknown:
        raise ComparisonError(
            f"the presentations have no {', '.join(unknown)}",
            where=name,
            expected="columns among " + ", ".join(c for c in PARAMETERS if c in table),
        )
    parts = table[list(by)].round(6)
    text = pd.Series(["/".join(map(str, values)) for values in parts.to_numpy()], index=table.index, dtype=object)
    return text.where(parts.notna().all(axis=1), None).where(~table["blank"], "blank")


def _in_time(table: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows[np.argsort(table.loc[rows, _clock(table)].to_numpy(), kind="stable")])


def _clock(table: pd.DataFrame) -> str:
    """Column that tells when presentations were shown."""
    return "onset" if "onset" in table else "presentation"


def _described(rows: pd.DataFrame, by: Sequence[str] | None) -> dict[str, object]:
    """One row of the table of stimuli."""
    values: dict[str, object] = {
        "kind": str(rows["stimulus"].iloc[0]),
        "blank": bool(rows["blank"].any()),
        "duration": float(rows["duration"].median()) if "duration" in rows else np.nan,
    }
    for parameter in dict.fromkeys((*PARAMETERS, *(by or ()))):
        if parameter in rows:
            several = rows[parameter].round(6).nunique(dropna=False) > 1
            values[parameter] = np.nan if several else float(rows[parameter].iloc[0])
    named = by if by is not None else [p for p in PARAMETERS if p in rows]
    shown = [f"{values[p]:g}" for p in named if np.isfinite(float(str(values[p])))]
    values["label"] = "blank" if values["blank"] else " / ".join(shown) or str(rows["condition"].iloc[0])
    return values


def _units(store: xr.Dataset, name: str, known: np.ndarray, areas: bool) -> list[tuple[str, np.ndarray]]:
    """Label and numbers of the units of each population."""
    by_area: list[tuple[str, np.ndarray]] = []
    if areas and "area" in store:
        area = store["area"].values.astype(object).astype(str)
        by_area = [(f"{name} {a}", np.flatnonzero(known & (area == a))) for a in sorted(set(area)) if a]
        by_area = [(label, units) for label, units in by_area if len(units) >= FEWEST_UNITS]
    found = by_area if len(by_area) > 1 else [(name, np.flatnonzero(known))]
    if len(found[0][1]) < FEWEST_UNITS:
        raise ComparisonError(
            f"{len(found[0][1])} units were recorded in every presentation",
            where=name,
            expected=f"at least {FEWEST_UNITS}",
        )
    return found


def _names(store: xr.Dataset, units: np.ndarray) -> np.ndarray:
    return np.asarray(store["unit"].values[units]).astype(object).astype(str)


def _cube(response: FloatArray, kept: list[np.ndarray], units: np.ndarray) -> FloatArray:
    cube = np.full((len(kept), max(map(len, kept)), len(units)), np.nan)
    for i, rows in enumerate(kept):
        cube[i, : len(rows)] = response[np.ix_(units, rows)].T
    return cube
