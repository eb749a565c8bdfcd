"""The example of docs/own-neuron.md runs as it stands there, on two processes, and touches nothing but its own file."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from allometry import stores

FENCE = re.compile(r'^```python title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def izhikevich(d: np.ndarray, steps: int, dt: float, current: float) -> np.ndarray:
    """Spikes per neuron of unconnected neurons, in plain numpy."""
    v, u, count = np.full(len(d), -65.0), np.full(len(d), -13.0), np.zeros(len(d), int)
    for _ in range(steps):
        v, u = v + dt * ((0.04 * v + 5) * v + 140 - u + current), u + 0.02 * dt * (0.2 * v - u)
        fired = v >= 30
        count += fired
        v, u = np.where(fired, -65.0, v), np.where(fired, u + d, u)
    return count


@pytest.fixture(scope="module")
def example(root: Path) -> tuple[str, str]:
    """Name and text of the only file that the page tells to write."""
    ((name, text),) = FENCE.findall((root / "docs/own-neuron.md").read_text(encoding="utf-8"))
    return name, text


def test_the_example_runs_and_touches_one_file(root: Path, example: tuple[str, str], tmp_path: Path) -> None:
    name, text = example
    (tmp_path / name).write_text(text, encoding="utf-8")
    package = {p: p.stat().st_mtime_ns for p in (root / "allometry").rglob("*.py")}
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, name], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    printed = re.fullmatch(r"([0-9.]+) spikes/s per neuron", done.stdout.strip())
    assert printed, done.stdout
    spikes = stores.open(tmp_path / "izhikevich.zarr")
    assert float(printed[1]) == round(spikes.sizes["spike"] / 500, 1)
    assert 1 < float(printed[1]) < 100
    given = spikes.attrs["parameters"]
    described = (json.loads(given) if isinstance(given, str) else given)["network"]["populations"][0]["neuron"]
    assert described["kind"] == "Izhikevich"
    assert len(described["code"]) == 16
    assert [p.name for p in tmp_path.glob("*.py")] == [name]
    assert {p: p.stat().st_mtime_ns for p in (root / "allometry").rglob("*.py")} == package


def test_the_example_is_what_its_equations_say(root: Path, example: tuple[str, str], tmp_path: Path) -> None:
    _, text = example
    script = tmp_path / "check.py"
    script.write_text(
        text.split("if __name__")[0]
        + "import numpy as np\n"
        + "from allometry.simulate.build.partition import Partition\n"
        + "from allometry.simulate.build.plan.network import compile_network\n"
        + "net = Network((Population('all', 50, Izhikevich(d=np.linspace(2, 8, 50), I_e=10.0)),), dt_ms=0.25)\n"
        + "with Partition(compile_network(net, 1, 'exact'), 0, 1, 1) as part:\n"
        + "    part.build()\n"
        + "    print(*np.bincount(part.window(4000).spikes & 0xFFFFFFFF, minlength=50))\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    found = [int(word) for word in done.stdout.split()]
    wanted = izhikevich(np.linspace(2, 8, 50), 4000, 0.25, 10.0)
    assert wanted.min() > 5
    np.testing.assert_array_equal(found, wanted)
