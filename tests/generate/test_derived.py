"""Generated files are in step with the code they are generated from."""

import re
from pathlib import Path

import pytest

from allometry.generate import derived
from allometry.homogenize.readers import READERS

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


def test_every_reader_is_in_the_table_of_what_is_read(root: Path) -> None:
    page = (root / "docs/readers.md").read_text(encoding="utf-8").partition("## Every reader of recordings")[0]
    rows = {line.partition("](#")[0].removeprefix("| ["): line for line in page.splitlines() if line.startswith("| [")}
    assert set(rows) == set(READERS)
    assert all(len(line.split(" | ")[1]) > 20 for line in rows.values())
    assert rows["suite2p"].endswith("| activity | yes |")
