"""The SLURM that the tests of a file share; there is one at a time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm import daemons, hosts


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running SLURM of one node; its folder."""
    if reason := daemons.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    with daemons.running(folder):
        yield folder


@pytest.fixture(scope="module")
def three_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[hosts.Host]]:
    """A running SLURM of three nodes, which are hosts of their own; the nodes."""
    if reason := daemons.missing() or hosts.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    with hosts.several(3, folder) as nodes, daemons.running(folder, nodes):
        yield nodes
