"""The SLURM that the tests of this folder share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm import one_node


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running one-node SLURM; its folder."""
    if reason := one_node.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    with one_node.running(folder):
        yield folder
