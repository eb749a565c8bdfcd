"""Which statistic is kept to which tolerance at which size, and why the others are not: sentences made from the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from allometry.scale.findings.deviations import CHANGED, PRESERVED, UNDETERMINED, Deviations, kept_within
from allometry.scale.laws import Law

SKEWED, SHARED, SHIFTED_MV, WIDENED = 0.05, 0.05, 0.3, 0.03
"""Changes worth a sentence: of skewness, of the shared part of the input variance, of the mean (mV), of the spread (relative)."""
FARTHEST = 1.0
"""Relative deviation from which on a bound says nothing."""
CORRELATIONS = ("correlation", "synchrony_correlation", "gamma_correlation")
UNALIKE = 0.1
"""Relative change of the variance of an input worth a sentence."""


@dataclass(frozen=True)
class Column:
    """One statistic in one scheme and condition: everything along size [size, population].

    Parameters
    ----------
    statistic, scheme, condition : str
        What it is.
    sizes, populations : sequence
        The axes; of the sizes, the reference is left out.
    deviation : Deviations
        From the reference.
    verdict : array of str
        Of each.
    """

    statistic: str
    scheme: str
    condition: str
    sizes: Sequence[float]
    populations: Sequence[str]
    deviation: Deviations
    verdict: np.ndarray


def kept(column: Column, tolerance: float) -> str:
    """Sentence per size: where the statistic is kept, and to which tolerance; where it is changed, and by how much."""
    return " ".join(_kept_at(column, i, size, tolerance) for i, size in enumerate(column.sizes))


def _kept_at(column: Column, i: int, size: float, tolerance: float) -> str:
    verdict = column.verdict[i]
    where = {
        word: [k for k, found in enumerate(verdict) if found == word] for word in (PRESERVED, CHANGED, UNDETERMINED)
    }
    if not any(where.values()):
        return f"Size {size:g}: undefined."
    bound = kept_within(column.deviation)[i]
    parts = []
    if known := where[PRESERVED]:
        everywhere = len(known) == sum(map(len, where.values())) and len(known) > 1
        names = f"all {len(known)} populations" if everywhere else _names(column, known)
        parts.append(f"kept within {_percent(float(bound[known].max()), signed=False)} in {names}")
    if changed := sorted(where[CHANGED], key=lambda k: -abs(column.deviation.value[i, k])):
        shown = [f"{column.populations[k] or 'all'} {_interval(column, i, k)}" for k in changed]
        more = f" and {len(shown) - 4} more" if len(shown) > 4 else ""
        parts.append(f"changed in {', '.join(shown[:4])}{more}")
    if open_ := where[UNDETERMINED]:
        bounded = bound[open_][np.isfinite(bound[open_])]
        known_to = (
            f" (known within {_percent(float(bounded.max()), signed=False)})" if bounded.size == len(open_) else ""
        )
        parts.append(f"undetermined at {_percent(tolerance, signed=False)} in {_names(column, open_)}{known_to}")
    return f"Size {size:g}: {'; '.join(parts)}."


def _names(column: Column, members: Sequence[int]) -> str:
    return ", ".join(column.populations[k] or "all" for k in members)


def _interval(column: Column, i: int, k: int) -> str:
    found = column.deviation
    value, low, high = (float(part[i, k]) for part in (found.value, found.low, found.high))
    return f"{_percent(value)} ({_percent(low)} to {_percent(high)})"


def _percent(share: float, signed: bool = True) -> str:
    if not np.isfinite(share):
        return "an unknown share"
    digits = ".1f" if abs(share) < 0.0995 else ".0f"
    return f"{100 * share:{'+' if signed else ''}{digits}} %".replace("-", "−")


def why_rates(column: Column, theory: xr.Dataset | str, reference: float, tolerance: float) -> str:
    """Why rates are not kept: what theory has them at, and what of the input it knows, or leaves out, has changed.

    Parameters
    ----------
    column : Column
        Of the rates.
    theory : Dataset or str
        `causes.mean_field_table`, or why there is none.
    reference : float
        Size that deviations are from.
    tolerance : float
        Up to which a deviation is none.
    """
    if isinstance(theory, str):
        return f"Not explained here: {theory}."
    said = [_why_at(column, i, size, theory, reference, tolerance) for i, size in enumerate(column.sizes)]
    return " ".join(part for part in said if part)


def _why_at(column: Column, i: int, size: float, theory: xr.Dataset, reference: float, tolerance: float) -> str:
    modelled = theory["modelled"].values.tolist()
    changed = [
        name for k, name in enumerate(column.populations) if column.verdict[i, k] == CHANGED and name in modelled
    ]
    if not changed:
        return ""
    here = theory.sel(size=size, scheme=column.scheme, modelled=changed)
    there = theory.sel(size=reference, scheme=column.scheme, modelled=changed)
    observed = np.array([column.deviation.value[i, list(column.populations).index(name)] for name in changed])
    predicted = here["rate_hz"].values / there["rate_hz"].values - 1
    explained = (np.sign(predicted) == np.sign(observed)) & (
        np.abs(predicted - observed) <= np.maximum(np.abs(observed) / 2, tolerance)
    )
    few = [name for name, fits in zip(changed, explained) if fits]
    rest = [name for name, fits in zip(changed, explained) if not fits]
    text = f"Size {size:g}: mean-field theory, which knows mean and variance of the input alone, has "
    text += ", ".join(f"{name} at {_percent(float(value))}" for name, value in zip(changed, predicted))
    text += " (simulated " + ", ".join(_percent(float(value)) for value in observed) + ")"
    if few:
        text += f": that accounts for {', '.join(few)}{'' if rest else ' at least by half'}"
    if rest:
        text += f"{', not for' if few else ': that does not account for'} {', '.join(rest)}"
    facts = _facts(here, there)
    if facts:
        return f"{text}. At the rates of the reference, {'; '.join(facts)}."
    return f"{text}. Mean, spread, skewness and shared part of the input are those of the reference."


def _facts(here: xr.Dataset, there: xr.Dataset) -> list[str]:
    """What of the input has changed, in words; the population where it changes most speaks for the others."""
    facts = []
    shift = (here["mean_mv"] - there["mean_mv"]).values
    if np.abs(shift).max() > SHIFTED_MV:
        facts.append(f"the mean input moves by up to {shift[np.abs(shift).argmax()]:+.1f} mV".replace("-", "−"))
    spread = (here["sd_mv"] / there["sd_mv"] - 1).values
    if np.abs(spread).max() > WIDENED:
        worst = int(np.abs(spread).argmax())
        facts.append(
            f"its spread changes by {_percent(float(spread[worst]))} (several synapses of one source add to one large one)"
            if np.abs(here["psp_mv"] - there["psp_mv"]).max() < 1e-3
            else f"its spread changes by {_percent(float(spread[worst]))}"
        )
    else:
        facts.append(f"its spread stays within {_percent(float(np.abs(spread).max()), signed=False)}")
    skew = (here["skewness"] - there["skewness"]).values
    if np.abs(skew).max() > SKEWED:
        worst = int(np.abs(skew).argmax())
        facts.append(
            f"its skewness, which the theory leaves out, goes from {there['skewness'].values[worst]:.2f} to "
            f"{here['skewness'].values[worst]:.2f}, with single inputs of up to {here['psp_mv'].values[worst]:.1f} mV against "
            f"{there['psp_mv'].values[worst]:.1f}".replace("-", "−")
        )
    shared = (here["shared"] - there["shared"]).values
    if np.abs(shared).max() > SHARED:
        worst = int(np.abs(shared).argmax())
        facts.append(
            f"two neurons share {_percent(float(here['shared'].values[worst]), signed=False)} of their input variance against "
            f"{_percent(float(there['shared'].values[worst]), signed=False)}, which the theory leaves out too"
        )
    return facts


def why_inputs(column: Column, inputs: xr.Dataset, reference: float) -> str:
    """What a reduction does to the input: its variance at unchanged rates, where the statistic is changed.

    Parameters
    ----------
    column : Column
        Any statistic.
    inputs : Dataset
        `synaptic_input.input_table`.
    reference : float
        Size that deviations are from.
    """
    full = inputs.sel(size=reference, scheme=column.scheme)
    changed = [size for i, size in enumerate(column.sizes) if (column.verdict[i] == CHANGED).any()]
    said = [_inputs_at(inputs.sel(size=size, scheme=column.scheme), full, size) for size in changed]
    return " ".join(part for part in said if part)


def _inputs_at(here: xr.Dataset, full: xr.Dataset, size: float) -> str:
    parts = []
    for source in here["source"].values.tolist():
        for target in here["target"].values.tolist():
            one = here.sel(source=source, target=target)
            variance, mean = float(one["variance"]), float(one["mean"])
            if not np.isfinite(variance) or (abs(variance - 1) <= UNALIKE and abs(mean - 1) <= UNALIKE):
                continue
            before, now = (float(part["indegree"].sel(source=source, target=target)) for part in (full, here))
            parts.append(
                f"{variance:.2g} times the variance from {source} to {target} ({now:.3g} synapses for {before:.3g})"
                + (f" and {mean:.2g} times the mean" if abs(mean - 1) > UNALIKE else "")
            )
    if not parts:
        return ""
    return f"Size {size:g}: at unchanged rates and before calibration, input has {'; '.join(parts)}."


def why_correlations(column: Column, laws: dict[str, Law]) -> str:
    """What the laws say of correlations: whether they go as 1/N, as finite-size fluctuations do."""
    if not any((found == CHANGED).any() for found in column.verdict):
        return ""
    named = {population: law for population, law in laws.items() if np.isfinite(law.exponent)}
    if not named:
        reason = next((law.reason for law in laws.values() if law.reason), "nothing was fitted")
        return f"No law can be told from these sizes: {reason}."
    like = [name for name, law in named.items() if law.exponent_low <= -1 <= law.exponent_high]
    unlike = [name for name in named if name not in like]
    parts = []
    if like:
        parts.append(
            f"In {', '.join(name or 'all' for name in like)} the deviation goes with the number of neurons as N^−1 within the "
            "interval of its exponent: fluctuations of finite populations, which every reduction of N makes larger"
        )
    if unlike:
        shown = ", ".join(
            f"{name or 'all'} {named[name].exponent:.2f} ({_bound(named[name].exponent_low)} to {_bound(named[name].exponent_high)})"
            for name in unlike
        )
        parts.append(f"exponents other than −1: {shown}".replace("-", "−"))
    return "; ".join(parts) + "."


def _bound(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "unbounded"
