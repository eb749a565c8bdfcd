"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# How long an example takes says more about the machine than about the code.
settings.register_profile("allometry", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("allometry")


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
