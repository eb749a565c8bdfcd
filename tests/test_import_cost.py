"""A job imports what it uses: libraries that few jobs need would cost every one of them a second of its start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: Libraries that take longest, with the modules of stages that may import them before they are used.
HEAVY = (
    "scipy.stats",
    "scipy.signal",
    "scipy.optimize",
    "scipy.ndimage",
    "scipy.sparse",
    "sklearn",
    "networkx",
    "dask.array",
    "distributed",
)
STAGES = {
    "allometry.retrieve": (*HEAVY, "pandas", "xarray", "numba"),
    "allometry.homogenize": (*HEAVY, "numba"),
    "allometry.simulate.point": HEAVY,
    "allometry.scale.simulations": HEAVY,
    "allometry.compare.runner": (*HEAVY, "numba"),
    "allometry.report": (*HEAVY, "numba"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_starts_without_what_few_jobs_use(root: Path, stage: str) -> None:
    program = f"""
import sys, json, {stage}
elementary = sys.modules.get("allometry.models.features.elementary")
compiled = [name for name in ("exp", "sine", "tanh") if elementary is not None and getattr(elementary, name).types]
print(json.dumps([*sys.modules, *(f"compiled {{name}}" for name in compiled)]))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert stage in loaded
    assert [name for name in STAGES[stage] if name in loaded] == []
    # functions are compiled where they are called: three of them would be a second of every job that knows the models
    assert [name for name in loaded if name.startswith("compiled ")] == []
    if stage == "allometry.simulate.point":
        assert "allometry.models.features.elementary" in loaded
