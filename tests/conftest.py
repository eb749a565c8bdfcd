"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder with genuine data files (`ALLOMETRY_MIRROR`); tests on real files run only where it exists."""
    path = Path(os.environ.get("ALLOMETRY_MIRROR") or ROOT.parent / "shared" / "data")
    if not path.is_dir():
        pytest.skip("no mirror of the real data: set ALLOMETRY_MIRROR")
    return path
