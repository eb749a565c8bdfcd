"""Measured times and memory are those of the block that was measured."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import measure


def test_stopwatch_counts_others_and_not_itself() -> None:
    with measure.Stopwatch() as alone:
        end = time.process_time() + 0.4
        while time.process_time() < end:
            pass
    assert alone.wall_s >= 0.4
    # Work of our own children is ours as well: with it the share of others cannot exceed what is left.
    code = "import time\ne = time.process_time() + .4\nwhile time.process_time() < e: pass"
    with measure.Stopwatch() as child:
        subprocess.run([sys.executable, "-c", code], check=True)
    cpus = measure.machine()["cpus"]
    for watch in (alone, child):
        assert 0 <= watch.others_share <= 1 - 0.35 / (watch.wall_s * cpus)
        assert 0.35 <= watch.cpu_s <= watch.wall_s * cpus


def test_report_writes_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    args = measure.arguments("x").parse_args(["--duration-ms", "500", "--json", str(tmp_path / "r.json")])
    watch = measure.Stopwatch()
    watch.wall_s = 3.0
    result = measure.report(
        program="P",
        network="n",
        args=args,
        build=watch,
        sim_s=0.25,
        others_share=0.0,
        rss_gib=1.0,
        spikes={"A": 50, "B": 10},
        sizes={"A": 10, "B": 10},
        synaptic_events=1000,
    )
    assert json.loads((tmp_path / "r.json").read_text()) == result == json.loads(capsys.readouterr().out)
    assert (result["rtf"], result["rates"], result["events_per_s"]) == (0.5, {"A": 10.0, "B": 2.0}, 4000)
    assert not list(tmp_path.glob("*.partial"))
