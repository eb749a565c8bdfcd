"""Tables of benchmarks/README.md and the figure of the documentation, made from benchmarks/results/*.json.

    python -m benchmarks.table

No number is typed by hand: what stands between two `<!-- table: NAME -->` ... `<!-- end -->` lines is replaced.
"""

import json
import re
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
# Tasks of `benchmarks.compare`, by name of the case, in the order of the table
CASES = {
    "crossnobis": "crossnobis distances, {stimuli} stimuli x {repeats} repeats x {units:,} units, from Zarr",
    "pairwise": "pairwise correlation of {units:,} spike trains, {bins} bins",
    "ntf": "non-negative factors of {time} x {animals} x {pairs}, rank {rank}, {sweeps} sweeps, from Zarr",
    "rdm": "RDM of {stimuli} stimuli x {units:,} units, from Zarr",
    "permutation": "permutation test of RSA, {stimuli} stimuli, {permutations:,} permutations",
}
# Program and the package whose version it has
PROGRAMS = {
    "allometry": ("Allometry", "allometry"),
    "allometry_summary": ("Allometry, histogram and moments only", "allometry"),
    "allometry_out_of_core": ("Allometry, out of core", "allometry"),
    "tensorly_in_memory": ("tensorly, in memory", "tensorly"),
    "numpy": ("numpy.corrcoef", "numpy"),
    "scipy": ("scipy", "scipy"),
    "elephant": ("elephant", "elephant"),
    "rsatoolbox": ("rsatoolbox", "rsatoolbox"),
}
FIGURE = HERE.parent / "docs" / "images" / "microcircuit_rtf.svg"
NAMES = {"allometry": "Allometry", "nest": "NEST", "brian2": "Brian2 C++"}
COLOURS = {"allometry": "#1b6ca8", "nest": "#c8553d", "brian2": "#7a9e3f"}


def comparisons(results: Path, network: str) -> list[dict[str, Any]]:
    """Results of `benchmarks.peers` on one network, by scale."""
    found = [json.loads(p.read_text()) for p in sorted(results.glob(f"{network}_*.json"))]
    return sorted((r for r in found if "best_rtf" in r), key=lambda r: r["scale"])


def best(comparison: dict[str, Any], program: str) -> dict[str, Any] | None:
    """Run of the lowest RTF of one program."""
    runs = comparison["runs"].get(program)
    return min(runs, key=lambda r: r["rtf"]) if runs else None


def peers_table(results: Path, network: str) -> str:
    """Markdown table: one row per scale and program."""
    rows = [
        "| scale | program | build s | RTF | times ours | peak GiB | events/s | other processes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for comparison in comparisons(results, network):
        ours = best(comparison, "allometry")
        for program in NAMES:
            run = best(comparison, program)
            if run is None or ours is None:
                reason = comparison["left_out"].get(program, "not run")
                rows.append(f"| {comparison['scale']:g} | {NAMES[program]} | {reason} | | | | | |")
                continue
            ratio = "" if program == "allometry" else f"{run['rtf'] / ours['rtf']:.1f}"
            rows.append(
                f"| {comparison['scale']:g} | {run['program']} | {run['build_s']:.1f} | {run['rtf']:.3g} | {ratio} "
                f"| {run['peak_rss_gib']:.2f} | {run['events_per_s'] / 1e6:.0f} M | {100 * run['others_share']:.0f} % |"
            )
    return "\n".join(rows)


def cut_table(results: Path) -> str:
    """Markdown table: partitions in workers beside threads."""
    rows = [
        "| scale | partitions | threads each | build s | RTF | peak GiB | other processes |",
        "|---|---|---|---|---|---|---|",
    ]
    runs = [json.loads(p.read_text()) for p in sorted(results.glob("cut_*.json"))]
    for run in sorted(runs, key=lambda r: (r["scale"], r["partitions"], -r["threads"])):
        rows.append(
            f"| {run['scale']:g} | {run['partitions']} | {run['threads']} | {run['build_s']:.1f} | {run['rtf']:.3g} "
            f"| {run['peak_rss_gib']:.2f} | {100 * run['others_share']:.0f} % |"
        )
    return "\n".join(rows)


def breakdown_table(results: Path) -> str:
    """Markdown table: parts of the wall time of the run loop, by scale."""
    rows = ["| scale | part | s per biological s | share | cost |", "|---|---|---|---|---|"]
    for found in sorted(
        (json.loads(p.read_text()) for p in results.glob("breakdown_*.json")), key=lambda r: r["scale"]
    ):
        cost = {
            "update": f"{found['ns_per_update']:.2f} ns per neuron and step",
            "input": f"{found['ns_per_input']:.2f} ns per neuron and step",
            "delivery": f"{found['ns_per_event']:.2f} ns per synaptic event",
            "meeting": f"{found['us_per_meeting']:.2f} µs per step",
            "recording": "",
        }
        for part, said in cost.items():
            share = found["seconds"][part] / found["total_s"]
            per_second = found["seconds"][part] / found["duration_ms"] * 1000
            rows.append(f"| {found['scale']:g} | {part} | {per_second:.3f} | {100 * share:.0f} % | {said} |")
        for link, name in (("memory", "shared memory"), ("tcp", "TCP")):
            us = found["us_per_exchange"][link]
            rows.append(f"| {found['scale']:g} | exchange of two partitions, {name} | | | {us:.2f} µs per step |")
    return "\n".join(rows)


def reference_table(results: Path) -> str:
    """Markdown tables: rate, CV and synchrony of each population beside NEST's, and distances of the distributions."""
    path = results / "microcircuit_reference.json"
    if not path.is_file():
        return ""
    found = json.loads(path.read_text())
    seeds = found["seeds"]
    rows = [
        f"Scale {found['scale']:g}, {found['duration_ms'] / 1000:g} s; mean ± SD over {seeds['ours']} seeds (ours) and "
        f"{seeds['NEST']} seeds (NEST).\n",
        "| population | rate, Hz | NEST | CV | NEST | synchrony | NEST |",
        "|---|---|---|---|---|---|---|",
    ]
    for population, values in found["populations"].items():
        cells = [
            f"{values[f'{who} {name}'][0]:.{digits}f} ± {values[f'{who} {name}'][1]:.{digits}f}"
            for name, digits in (("rate", 3), ("cv", 3), ("sync", 2))
            for who in ("ours", "NEST")
        ]
        rows.append(f"| {population} | {' | '.join(cells)} |")
    rows += ["", "| KS distance of | ours to NEST | NEST to NEST | ours to ours | limit |", "|---|---|---|---|---|"]
    for measure, pairs in found["ks"].items():
        means = [f"{pairs[name]['mean']:.4f}" for name in ("ours-NEST", "NEST-NEST", "ours-ours")]
        rows.append(f"| {measure} | {' | '.join(means)} | {pairs['limit']:.4f} |")
    return "\n".join(rows)


TASKS = {
    "default": "Allometry, default",
    "simeon2024": "Allometry, preset `simeon2024`",
    "loops": "the same preset as loops (pandas, scikit-learn)",
}


def homogenize_table(results: Path) -> str:
    """Markdown table: 900 worms into stores, ours and the collection's way."""
    rows = ["| way | worms timed | s for 900 worms | peak GiB | other processes |", "|---|---|---|---|---|"]
    path = results / "homogenize_900.json"
    for task in json.loads(path.read_text())["tasks"] if path.is_file() else ():
        rows.append(
            f"| {TASKS[task['task']]}, {task['processes']} process{'es' * (task['processes'] > 1)} | {task['worms']} "
            f"| {task['s_for_900']:.0f} | {task['peak_gib']:.2f} | {100 * task['others_share']:.0f} % |"
        )
    return "\n".join(rows)


def edges_table(results: Path) -> str:
    """Markdown table: a connectome of 50 million rows into a store, by the form of its table."""
    rows = [
        "| table | size, GB | least synapses | edges stored | CPU s | s | peak GiB | other processes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    path = results / "homogenize_edges.json"
    for table in json.loads(path.read_text())["tables"] if path.is_file() else ():
        rows.append(
            f"| {table['rows'] / 1e6:g} M rows, {table['form']} | {table['file_gb']:.1f} | {table['min_weight']:g} "
            f"| {table['edges'] / 1e6:g} M | {table['cpu_s']:.0f} | {table['wall_s']:.0f} | {table['peak_gib']:.2f} | {100 * table['others_share']:.0f} % |"
        )
    return "\n".join(rows)


def spikes_table(results: Path) -> str:
    """Markdown table: a recording of 130 million spikes into a store, by the form of its files."""
    rows = [
        "| recording | size, GB | units | CPU s | s | peak GiB | other processes |",
        "|---|---|---|---|---|---|---|",
    ]
    path = results / "homogenize_spikes.json"
    for found in json.loads(path.read_text())["recordings"] if path.is_file() else ():
        rows.append(
            f"| {found['spikes'] / 1e6:g} M spikes, {found['form']} | {found['file_gb']:.1f} | {found['units']} "
            f"| {found['cpu_s']:.0f} | {found['wall_s']:.0f} | {found['peak_gib']:.2f} | {100 * found['others_share']:.0f} % |"
        )
    return "\n".join(rows)


def compare_table(results: Path) -> str:
    """Markdown table: measures of the comparison suite beside other implementations, on the same data."""
    rows = [
        "| task | program | wall s | times ours | CPU s | peak GiB | largest difference | other processes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    found = [json.loads(p.read_text()) for p in results.glob("compare_*.json")]
    for case in sorted(found, key=lambda c: (list(CASES).index(c["benchmark"]), *c["sizes"].values())):
        task = CASES[case["benchmark"]].format(**case["sizes"])
        programs = case["programs"]
        ours = next(iter(programs.values()))["wall_s"]
        for index, (program, run) in enumerate(programs.items()):
            name, package = PROGRAMS[program]
            ratio = f"{run['wall_s'] / ours:.1f}" if index else ""
            difference = case["largest_difference"].get(program)
            rows.append(
                f"| {'' if index else task} | {name} {case['versions'][package]} | {run['wall_s']:.2f} | {ratio} "
                f"| {run['cpu_s']:.1f} | {run['peak_rss_gib']:.2f} | {'' if difference is None else f'{difference:.0e}'} "
                f"| {100 * run['others_share']:.0f} % |"
            )
    return "\n".join(rows)


def machine_line(results: Path) -> str:
    """One sentence on the machine and the load of the runs."""
    runs = [r for c in comparisons(results, "microcircuit") for some in c["runs"].values() for r in some]
    if not runs:
        return "No results yet: run `python -m benchmarks simulate`."
    m, dates = runs[0]["machine"], sorted(r["finished"][:10] for r in runs)
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    return f"Measured on {m['cpu']}, {m['cpus']} CPUs, {m['memory_gib']:g} GiB, {when}; {runs[0]['threads']} threads."


def figure(results: Path, path: Path) -> bool:
    """RTF against scale, one line per program; False without results."""
    found = comparisons(results, "microcircuit")
    if not found:
        return False
    plt.rcParams["svg.hashsalt"] = "allometry"
    fig, ax = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    for program, name in NAMES.items():
        points = [(c["scale"], best(c, program)["rtf"]) for c in found if best(c, program)]  # type: ignore[index]
        if points:
            x, y = zip(*points)
            ax.plot(x, y, "o-", color=COLOURS[program], label=name)
            ax.annotate(f"{y[-1]:.3g}", (x[-1], y[-1]), (6, 0), textcoords="offset points", va="center")
    ax.axhline(1, color="0.6", lw=1, ls="--", zorder=0)
    ax.annotate("real time", (0.5, 1), (0, 3), ("axes fraction", "data"), "offset points", color="0.4")
    ax.set(xscale="log", yscale="log", xlabel="scale of the microcircuit (neurons and in-degrees)")
    ax.set_ylabel("wall time / biological time")
    ax.set_xticks([c["scale"] for c in found], [f"{c['scale']:g}" for c in found])
    ax.minorticks_off()
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, metadata={"Date": None})
    plt.close(fig)
    return True


def fill(text: str, tables: dict[str, str]) -> str:
    """Replace what stands between the markers of each table."""
    for name, table in tables.items():
        pattern = rf"(<!-- table: {re.escape(name)} -->\n).*?(<!-- end -->)"
        text, found = re.subn(pattern, lambda m, t=table: f"{m[1]}\n{t}\n\n{m[2]}", text, flags=re.DOTALL)
        if found != 1:
            raise ValueError(f"benchmarks/README.md has {found} tables called {name}, expected 1")
    return text


def main() -> None:
    """Rewrite the tables and the figure."""
    results, readme = HERE / "results", HERE / "README.md"
    tables = {
        "machine": machine_line(results),
        "microcircuit": peers_table(results, "microcircuit"),
        "brunel": peers_table(results, "brunel"),
        "cut": cut_table(results),
        "breakdown": breakdown_table(results),
        "reference": reference_table(results),
        "compare": compare_table(results),
        "homogenize": homogenize_table(results),
        "edges": edges_table(results),
        "spikes": spikes_table(results),
    }
    readme.write_text(fill(readme.read_text(), tables))
    if figure(results, FIGURE):
        print(f"wrote {FIGURE}")


if __name__ == "__main__":
    main()
