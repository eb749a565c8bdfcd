"""Tables and figure are made from result files alone."""

import json
from pathlib import Path

import pytest

from benchmarks.table import (
    CASES,
    PROGRAMS,
    breakdown_table,
    compare_table,
    cut_table,
    edges_table,
    figure,
    fill,
    homogenize_table,
    machine_line,
    peers_table,
    reference_table,
    spikes_table,
)

MACHINE = {"cpu": "Test CPU", "cpus": 2, "memory_gib": 24.0}


def _run(program: str, rtf: float, **more: object) -> dict:
    return {
        "program": program,
        "rtf": rtf,
        "build_s": 2.0,
        "peak_rss_gib": 1.5,
        "events_per_s": 7e8,
        "others_share": 0.01,
        "machine": MACHINE,
        "finished": "2026-01-02T03:04:05",
        "threads": 2,
        **more,
    }


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for scale in (0.1, 1.0):
        runs = {"allometry": [_run("Allometry", 0.2 * scale), _run("Allometry", 0.1 * scale)]}
        runs["nest"] = [_run("NEST 3.10.0", 5.0 * scale)]
        best = {"allometry": 0.1 * scale, "nest": 5.0 * scale}
        found = {"scale": scale, "best_rtf": best, "runs": runs, "left_out": {"brian2": "too large"}}
        (tmp_path / f"microcircuit_{scale:g}.json").write_text(json.dumps(found))
    cut = _run("Allometry", 1.25, scale=1.0, partitions=2, threads=1)
    (tmp_path / "cut_1_p2_t1.json").write_text(json.dumps(cut))
    return tmp_path


def test_the_fastest_repeat_counts(results: Path) -> None:
    rows = peers_table(results, "microcircuit").splitlines()[2:]
    assert rows[0] == "| 0.1 | Allometry | 2.0 | 0.01 |  | 1.50 | 700 M | 1 % |"
    assert rows[1] == "| 0.1 | NEST 3.10.0 | 2.0 | 0.5 | 50.0 | 1.50 | 700 M | 1 % |"
    assert "too large" in rows[2]
    assert len(rows) == 6


def test_partitions_and_machine(results: Path) -> None:
    assert "| 1 | 2 | 1 | 2.0 | 1.25 |" in cut_table(results)
    assert "Test CPU, 2 CPUs, 24 GiB, 2026-01-02" in machine_line(results)


def test_where_the_time_goes(results: Path) -> None:
    assert len(breakdown_table(results).splitlines()) == 2  # no result, no row
    seconds = {"update": 0.4, "input": 0.2, "delivery": 0.9, "meeting": 0.02, "recording": 0.08}
    costs = {"ns_per_update": 0.5, "ns_per_input": 0.25, "ns_per_event": 0.93, "us_per_meeting": 1.0}
    found = {"scale": 1.0, "duration_ms": 2000.0, "total_s": 1.6, "seconds": seconds, **costs}
    found["us_per_exchange"] = {"memory": 1.4, "tcp": 12.25}
    (results / "breakdown_1.json").write_text(json.dumps(found))
    rows = breakdown_table(results).splitlines()[2:]
    assert rows[0] == "| 1 | update | 0.200 | 25 % | 0.50 ns per neuron and step |"
    assert rows[2] == "| 1 | delivery | 0.450 | 56 % | 0.93 ns per synaptic event |"
    assert rows[-1] == "| 1 | exchange of two partitions, TCP | | | 12.25 µs per step |"


def test_agreement_with_nest(results: Path) -> None:
    assert reference_table(results) == ""
    values = {f"{who} {name}": [1.25, 0.5] for who in ("ours", "NEST") for name in ("rate", "cv", "sync")}
    distances = {name: {"mean": 0.02} for name in ("ours-NEST", "NEST-NEST", "ours-ours")}
    found = {"scale": 1.0, "duration_ms": 10000.0, "seeds": {"ours": 3, "NEST": 2}, "populations": {"L4E": values}}
    (results / "microcircuit_reference.json").write_text(
        json.dumps({**found, "ks": {"cv": {**distances, "limit": 0.03}}})
    )
    text = reference_table(results)
    assert "10 s; mean ± SD over 3 seeds (ours) and 2 seeds (NEST)" in text
    assert "| L4E | 1.250 ± 0.500 | 1.250 ± 0.500 | 1.250 ± 0.500 |" in text
    assert "| cv | 0.0200 | 0.0200 | 0.0200 | 0.0300 |" in text


def test_homogenizing(results: Path) -> None:
    assert len(homogenize_table(results).splitlines()) == 2  # no result, no row
    task = {"worms": 900, "processes": 2, "s_for_900": 41.4, "peak_gib": 1.234, "others_share": 0.02}
    tasks = [{"task": "default", **task}, {"task": "loops", **task, "worms": 6, "processes": 1}]
    (results / "homogenize_900.json").write_text(json.dumps({"tasks": tasks}))
    assert homogenize_table(results).splitlines()[2:] == [
        "| Allometry, default, 2 processes | 900 | 41 | 1.23 | 2 % |",
        "| the same preset as loops (pandas, scikit-learn), 1 process | 6 | 41 | 1.23 | 2 % |",
    ]


def test_connectomes_by_form(results: Path) -> None:
    assert len(edges_table(results).splitlines()) == 2
    table = {"form": "feather", "rows": 50_000_000, "file_gb": 1.61, "min_weight": 5.0, "edges": 7_500_000, "wall_s": 61.2, "cpu_s": 58.3, "peak_gib": 1.906, "others_share": 0.01}  # fmt: skip
    (results / "homogenize_edges.json").write_text(json.dumps({"tables": [table]}))
    assert edges_table(results).splitlines()[2:] == ["| 50 M rows, feather | 1.6 | 5 | 7.5 M | 58 | 61 | 1.91 | 1 % |"]


def test_spikes_in_bounded_memory(tmp_path: Path) -> None:
    assert len(spikes_table(tmp_path).splitlines()) == 2
    found = {"form": "phy", "spikes": 130_000_000, "units": 1000, "file_gb": 2.08, "wall_s": 41.4, "cpu_s": 39.7, "peak_gib": 3.217, "others_share": 0.02}  # fmt: skip
    (tmp_path / "homogenize_spikes.json").write_text(json.dumps({"recordings": [found]}))
    assert spikes_table(tmp_path).splitlines()[2:] == ["| 130 M spikes, phy | 2.1 | 1000 | 40 | 41 | 3.22 | 2 % |"]


def test_only_the_text_between_markers_changes() -> None:
    text = "a\n<!-- table: x -->\n\nold\n\n<!-- end -->\nb\n"
    new = fill(text, {"x": "| \\1 new |"})
    assert new == "a\n<!-- table: x -->\n\n| \\1 new |\n\n<!-- end -->\nb\n"
    assert fill(new, {"x": "| \\1 new |"}) == new
    with pytest.raises(ValueError, match="called y"):
        fill(text, {"y": ""})


def test_readme_has_every_table(root: Path, results: Path) -> None:
    readme = (root / "benchmarks" / "README.md").read_text()
    for name in ("machine", "microcircuit", "brunel", "cut", "breakdown", "reference", "edges", "spikes"):
        fill(readme, {name: ""})


def test_figure_shows_every_program(results: Path, tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    assert figure(results, path)
    first = path.read_bytes()
    assert b"<!-- NEST -->" in first
    assert b"<!-- Allometry -->" in first
    assert figure(results, path)
    assert path.read_bytes() == first
    assert not figure(tmp_path / "nothing", path)


def test_measures_beside_their_peers(results: Path) -> None:
    assert len(compare_table(results).splitlines()) == 2  # no result, no row
    run = {"cpu_s": 2.04, "others_share": 0.01, "peak_rss_gib": 0.256}
    found = {
        "benchmark": "crossnobis",
        "sizes": {"stimuli": 118, "repeats": 50, "units": 20000},
        "programs": {"allometry": {"wall_s": 3.5, **run}, "rsatoolbox": {"wall_s": 57.75, **run}},
        "largest_difference": {"rsatoolbox": 1.7e-8},
        "versions": {"allometry": "1", "rsatoolbox": "2"},
    }
    (results / "compare_crossnobis.json").write_text(json.dumps(found))
    assert compare_table(results).splitlines()[2:] == [
        "| crossnobis distances, 118 stimuli x 50 repeats x 20,000 units, from Zarr | Allometry 1 | 3.50 |  | 2.0 | 0.26 |  | 1 % |",
        "|  | rsatoolbox 2 | 57.75 | 16.5 | 2.0 | 0.26 | 2e-08 | 1 % |",
    ]


def test_every_case_and_program_has_its_words() -> None:
    from benchmarks.compare import CASES as modules
    from benchmarks.compare_case import PACKAGES

    assert {module.CASE.name for module in modules} == set(CASES)
    for module in modules:
        assert set(module.CASE.programs) <= set(PROGRAMS)
        assert CASES[module.CASE.name].format(**module.CASE.sizes)
    assert {package for _, package in PROGRAMS.values()} <= set(PACKAGES)
