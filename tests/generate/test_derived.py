"""Generated files are in step with the code they are generated from."""

import re
from pathlib import Path

import pytest

from allometry.generate import derived

DERIVED = derived()


@pytest.mark.parametrize("name", sorted(DERIVED))
def test_generated_file_is_in_step(root: Path, name: str) -> None:
    assert (root / name).read_text(encoding="utf-8") == DERIVED[name], "run: python -m allometry.generate"


def test_conda_file_pins_every_package_of_the_lock(root: Path) -> None:
    locked = set(
        re.findall(r"^([A-Za-z0-9_.-]+==[^\s;\\]+)", (root / "envs/requirements.lock").read_text(), re.MULTILINE)
    )
    conda = set(re.findall(r"- ([A-Za-z0-9_.-]+==[^\s;]+)", (root / "envs/allometry.yaml").read_text()))
    assert locked == conda
    assert len(locked) > 100
