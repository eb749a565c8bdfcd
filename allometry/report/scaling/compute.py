"""Figure and tables of studies of compute scaling: what was measured, what the cost model made of it, and what it says elsewhere."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from allometry import stores
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.style import BAND, COLOURS, NEUTRAL, drawn_on, panel_rows
from allometry.report.scaling.study import MARKS

LOADED = 0.05
"""Share of the machine that others may use before numbers are marked."""
STAGES = ("homogenize", "compare")


def costs_of(path: str) -> dict[str, Any]:
    """What a study took, from the file beside its store."""
    file = Path(path)
    return dict(json.loads(file.with_name(f"{file.stem}.costs.json").read_text(encoding="utf-8")))


def draw(path: str) -> Drawing:
    """Figure of one study: wall time over workers, held-out runs, exchanges, stages, and other machines.

    Parameters
    ----------
    path : str
        A Compute store.
    """
    root, costs = stores.open(path), costs_of(path)
    assert isinstance(root, xr.Dataset)
    axes = panel_rows([3, 3], 3.4)
    _strong(axes[0], costs)
    _held_out(axes[1], costs)
    _exchanges(axes[2], costs)
    _shared(axes[3], costs)
    _elsewhere(axes[4], costs)
    _memory(axes[5], costs)
    return Drawing(drawn_on(axes), _caption(root, costs), str(root.attrs["title"]))


def tables(paths: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Tables of all studies: every run beside the model, and what the model says of other machines.

    Parameters
    ----------
    paths : sequence of path
        Compute stores.
    """
    if not paths:
        return {}
    every = [(Path(path).stem, costs_of(path)) for path in paths]
    return {
        "How compute scales: measured, and by the cost model": pd.DataFrame(
            [row for name, costs in every for row in _run_rows(name, costs)]
        ),
        "Extrapolation: machines that were not measured": pd.DataFrame(
            [row for name, costs in every for row in _elsewhere_rows(name, costs)]
        ),
    }


def _run_rows(name: str, costs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in costs["runs"]:
        yield {
            "study": name,
            "experiment": one["experiment"],
            "size": one["size"],
            "partitions": one["partitions"],
            "threads": one["threads"],
            "wall s per biological s": one["rtf"],
            "by the model": one["predicted"],
            "measured over model": one["ratio"],
            "role": "fitted" if one["fitted"] else "held out",
            "build, s": one["build_s"],
            "memory (GiB)": one["memory_gib"],
            "memory by the model": one["predicted_gib"],
        }


def _elsewhere_rows(name: str, costs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in costs["extrapolated"]:
        largest = max(one["parts"], key=one["parts"].get)
        yield {
            "study": name,
            "network": one["network"],
            "nodes": one["nodes"],
            "wall s per biological s": one["rtf"],
            "band": f"{one['low']:.2g} to {one['high']:.2g}",
            "floor of the exchange": one["floor"],
            "most of it is": readable(largest),
            "memory of a node (GiB)": one["memory_gib"],
            "fits": "yes" if one["fits"] else "no",
            "label": one["label"],
        }


def _decades(ax: Axes, which: str) -> None:
    axis = ax.yaxis if which == "y" else ax.xaxis
    low, high = ax.get_ylim() if which == "y" else ax.get_xlim()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 60 * low else (1,), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def _strong(ax: Axes, costs: Mapping[str, Any]) -> None:
    """Wall time over workers at each size: threads of one partition and partitions of one thread, with the model."""
    runs = [one for one in costs["runs"] if one["experiment"] == "strong"]
    for k, size in enumerate(sorted({one["size"] for one in runs})):
        colour = COLOURS[k % len(COLOURS)]
        for what, mark in (("threads", "o"), ("partitions", "s")):
            other = "partitions" if what == "threads" else "threads"
            chosen = sorted((one for one in runs if one["size"] == size and one[other] == 1), key=lambda one: one[what])
            if len(chosen) < 2:
                continue
            x = [one[what] for one in chosen]
            face = colour if what == "threads" else "white"
            ax.plot(
                x, [one["rtf"] for one in chosen], mark, ms=5, color=colour, mfc=face, label=f"size {size:g}, {what}"
            )
            ax.plot(x, [one["predicted"] for one in chosen], "-" if what == "threads" else "--", lw=1, color=colour)
    ax.set_xscale("log")
    ax.set_yscale("log")
    counts = sorted({one["partitions"] * one["threads"] for one in runs})
    ax.set_xticks(counts, [str(n) for n in counts])
    ax.xaxis.set_minor_locator(NullLocator())
    _decades(ax, "y")
    ax.axvline(costs["cores"], color=NEUTRAL, lw=0.8, ls=":")
    ax.set(title="Strong scaling", xlabel="threads, or partitions", ylabel="wall s per biological s")
    ax.legend(fontsize=7)


def _held_out(ax: Axes, costs: Mapping[str, Any]) -> None:
    """Measured over predicted of the runs that were not fitted, with the band; fitted ones in grey."""
    held = [one for one in costs["runs"] if not one["fitted"]]
    ax.axhspan(1 / costs["band"], costs["band"], color=BAND, lw=0, zorder=0)
    ax.axhline(1, color=NEUTRAL, lw=0.8)
    for one in costs["runs"]:
        if one["fitted"]:
            ax.plot(one["partitions"], one["ratio"], "o", ms=4, mfc="white", color=NEUTRAL)
    for k, size in enumerate(sorted({one["size"] for one in held})):
        chosen = [one for one in held if one["size"] == size]
        ax.plot(
            [one["partitions"] for one in chosen], [one["ratio"] for one in chosen], MARKS[k + 1], ms=5,
            color=COLOURS[k % len(COLOURS)], label=f"size {size:g}",
        )  # fmt: skip
    ax.plot([], [], "o", ms=4, mfc="white", color=NEUTRAL, label="fitted")
    ax.set_yscale("log")
    ratios = [one["ratio"] for one in costs["runs"]]
    edge = 1.15 * max(costs["band"], *ratios, *(1 / ratio for ratio in ratios))
    ax.set_ylim(1 / edge, edge)
    _decades(ax, "y")
    ax.set_xticks(sorted({one["partitions"] for one in costs["runs"]}))
    ax.set(title="Held-out runs", xlabel="partitions", ylabel="measured over model")
    ax.legend(fontsize=7)


def _exchanges(ax: Axes, costs: Mapping[str, Any]) -> None:
    """A round of the exchange alone over partitions, a line per message size."""
    points = costs["exchange"]
    for k, size in enumerate(sorted({one["message_bytes"] for one in points})):
        chosen = [one for one in points if one["message_bytes"] == size]
        x = [one["partitions"] for one in chosen]
        colour = COLOURS[k % len(COLOURS)]
        mark = MARKS[k % len(MARKS)]
        ax.plot(x, [1e6 * one["round_s"] for one in chosen], mark, ms=5, color=colour, label=f"{size:,.0f} B")
        ax.plot(x, [1e6 * one["predicted_s"] for one in chosen], "-", lw=1, color=colour)
    ax.set_yscale("log")
    _decades(ax, "y")
    ax.set_xticks(sorted({one["partitions"] for one in points}))
    ax.axvline(costs["cores"], color=NEUTRAL, lw=0.8, ls=":")
    ax.set(title="Exchange alone", xlabel="partitions", ylabel="µs per round")
    ax.legend(fontsize=7, title="message", title_fontsize=7)


def _shared(ax: Axes, costs: Mapping[str, Any]) -> None:
    """Efficiency of the stages, and of weak scaling, over workers."""
    most = 1
    series = {
        stage: {one["workers"]: one["wall_s"] for one in costs["stages"] if one["experiment"] == stage}
        for stage in STAGES
    }
    found = {
        stage: {n: taken[min(taken)] * min(taken) / (n * wall) for n, wall in taken.items()}
        for stage, taken in series.items()
        if taken
    }
    weak = {one["threads"]: one["rtf"] for one in costs["runs"] if one["experiment"] == "weak"}
    if weak:
        found["simulate, weak"] = {n: weak[min(weak)] / rtf for n, rtf in weak.items()}
    for k, (name, efficiency) in enumerate(found.items()):
        x = sorted(efficiency)
        most = max(most, *x)
        ax.plot(x, [100 * efficiency[n] for n in x], f"{MARKS[k]}-", ms=5, lw=1, color=COLOURS[k], label=name)
    ax.axhline(100, color=NEUTRAL, lw=0.8)
    ax.set_xticks(range(1, most + 1))
    ax.set_ylim(0, max(115.0, 1.1 * max(100 * e for of in found.values() for e in of.values())))
    ax.set(title="Stages over workers", xlabel="workers", ylabel="efficiency (%)")
    ax.legend(fontsize=7, loc="lower left")


def _elsewhere(ax: Axes, costs: Mapping[str, Any]) -> None:
    """Wall time over nodes with its band; what does not fit into memory is not drawn."""
    floors: dict[int, float] = {}
    for k, (name, rows) in enumerate(_networks(costs).items()):
        able = [one for one in rows if one["fits"]]
        if not able:
            continue
        x = [one["nodes"] for one in able]
        colour = COLOURS[k % len(COLOURS)]
        ax.fill_between(x, [one["low"] for one in able], [one["high"] for one in able], color=colour, alpha=0.15, lw=0)
        ax.plot(x, [one["rtf"] for one in able], f"{MARKS[k]}-", ms=4, lw=1, color=colour, label=readable(name))
        floors |= {one["nodes"]: one["floor"] for one in rows if one["floor"] > 0}
    nodes = sorted(floors)
    ax.plot(nodes, [floors[n] for n in nodes], ":", lw=1.2, color=NEUTRAL, label="empty messages")
    ax.set_xscale("log")
    ax.set_yscale("log")
    _decades(ax, "x")
    _decades(ax, "y")
    ax.set(title="EXTRAPOLATION: time", xlabel="nodes", ylabel="wall s per biological s")
    ax.legend(fontsize=7)


def _memory(ax: Axes, costs: Mapping[str, Any]) -> None:
    """Memory of a node over nodes, with what a node has."""
    for k, (name, rows) in enumerate(_networks(costs).items()):
        ax.plot(
            [one["nodes"] for one in rows], [one["memory_gib"] for one in rows], f"{MARKS[k]}-", ms=4, lw=1,
            color=COLOURS[k % len(COLOURS)], label=readable(name),
        )  # fmt: skip
    ax.axhline(costs["machine"]["memory_gib"], color=NEUTRAL, lw=0.8, ls="--", label="of a node")
    ax.set_xscale("log")
    ax.set_yscale("log")
    _decades(ax, "x")
    _decades(ax, "y")
    ax.set(title="EXTRAPOLATION: memory", xlabel="nodes", ylabel="memory of a node (GiB)")
    ax.legend(fontsize=7)


def _networks(costs: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in costs["extrapolated"]:
        found.setdefault(one["network"], []).append(one)
    return found


def _caption(root: xr.Dataset, costs: Mapping[str, Any]) -> str:
    machine = costs["machine"]
    held = [one for one in costs["runs"] if not one["fitted"]]
    off = [abs(np.log(one["ratio"])) for one in held]
    latency = machine["latency_us"]
    parts = [
        f"{root.attrs['model']} on {costs['cpu']}, {costs['cores']} cores; {costs['duration_ms'] / 1e3:g} s simulated, the "
        f"fastest of {costs['repeats']} runs. Marks are measured, lines are the cost model. It is fitted on runs of one partition "
        f"and on exchanges alone; runs of several partitions test it: measured over model is off by a factor of "
        f"{np.exp(np.mean(off)):.2f} on average and {np.exp(np.max(off)):.2f} at most, and its band (grey) is a factor of "
        f"{costs['band']:.2f}. Right of the dotted line partitions share cores.",
        f"EXTRAPOLATION: nodes of {machine['cores']} such cores and {machine['memory_gib']:g} GiB, one partition each, "
        f"{machine['line_us']:g} µs for a cache line of another core, a network of "
        f"{latency[1]:g} µs ({latency[0]:g} to {latency[2]:g}) and {machine['bandwidth_gb_s']:g} GB/s, "
        f"{machine['message_us']:g} µs for each further message: assumed, not measured. Its band is that of the model for what is "
        "computed, with the lowest and the highest latency; nothing says that it holds so far out. Dotted: what the shortest delay alone asks for, its "
        "exchanges of empty messages at the expected latency. What does not fit into memory is not drawn.",
    ]
    if costs["others"] > LOADED:
        parts.append(f"MEASURED UNDER LOAD: others used up to {costs['others']:.0%} of the machine.")
    return " ".join(parts)
