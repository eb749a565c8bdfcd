"""The stored NEST spikes are what NEST gives today (`ALLOMETRY_NEST_PYTHON`: the Python of its environment)."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

MODELS = ("iaf_psc_exp", "iaf_psc_delta", "iaf_psc_alpha")


@pytest.fixture(scope="module")
def nest_python() -> str:
    path = os.environ.get("ALLOMETRY_NEST_PYTHON", "")
    if not path or not Path(path).exists():
        pytest.skip("ALLOMETRY_NEST_PYTHON does not name the Python of an environment with NEST (envs/bench-nest.txt)")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_nest_gives_the_stored_spikes(root: Path, tmp_path: Path, nest_python: str, threads: int) -> None:
    command = [nest_python, "-m", "tests.reference.nest_identity", "--out", str(tmp_path), "--threads", str(threads)]
    subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=1800)
    for model in MODELS:
        with (
            np.load(root / "tests" / "data" / f"nest_identity_{model}.npz", allow_pickle=False) as stored,
            np.load(tmp_path / f"nest_identity_{model}.npz", allow_pickle=False) as now,
        ):
            assert len(stored["unit"]) > 50_000
            for name in ("stamp_difference", "unit", "sha256"):
                np.testing.assert_array_equal(stored[name], now[name], err_msg=f"{model} {name}")
