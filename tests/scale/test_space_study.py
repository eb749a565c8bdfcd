"""A study of a network in space, done for real on small lattices."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import Client

from allometry import stores
from allometry.models.spatial_balanced import places, theory
from allometry.scale.findings.space import Theory
from allometry.scale.statistics.distance import BINS, EDGES, against_distance
from allometry.scale.statistics.recorded import read
from tests.scale.test_conditions_study import studied

SIZES = [0.0064, 0.0144]
"""Multiples 2 and 3 of the lattice."""
STUDY: dict[str, Any] = {
    "model": "spatial_balanced",
    "parameters": {"regime": "broad"},
    "sizes": SIZES,
    "schemes": ["balanced"],
    "seeds": [1, 2],
    "populations": ["E", "I"],
    "statistics": ["rate", *BINS],
    "duration_ms": 1300,
    "skip_ms": 300,
    "bin_ms": 25,
}


@pytest.fixture(scope="module")
def study(root: Path, tmp_path_factory: pytest.TempPathFactory, client: Client) -> tuple[Path, Any]:
    return studied("space", STUDY, root, tmp_path_factory.mktemp("space"), client)


def test_the_course_of_every_simulation_is_kept_beside_the_theory(study: tuple[Path, Any]) -> None:
    path, tree = study
    assert tree["neurons"].values[:, 0].tolist() == [320, 720]
    course, of_theory = tree["tables/correlation_course"], tree["tables/correlation_theory"]
    one = course["correlation"].sel(size=0.0144, scheme="balanced", seed=2, condition="unchanged", population="E")
    folder = next(path.with_suffix("").glob("0.0144_balanced_s2_*/unchanged.zarr"))
    recorded = read(stores.open(folder), skip_ms=300, bin_ms=25, max_units=5, populations=["E", "I"], columns=places)  # type: ignore[arg-type]
    found = against_distance(recorded, "E", EDGES)
    assert found is not None
    # stored to the digits that do not depend on the CPU
    np.testing.assert_allclose(one, found.mean, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(
        course["distance"].sel(size=0.0144, scheme="balanced", population="E"), found.distance, rtol=1e-6
    )
    rate = float(tree["mean"].sel(size=0.0144, scheme="balanced", statistic="rate", population="E").squeeze())
    assert float(of_theory["rate_hz"].sel(size=0.0144).squeeze()) == pytest.approx(rate, rel=1e-6)
    expected = Theory(theory("broad", 3), 24, rate).over_pairs(EDGES)
    np.testing.assert_allclose(of_theory["expected"].sel(size=0.0144).squeeze(), expected, rtol=1e-5, atol=1e-9)


def test_its_statistics_are_of_every_population_on_a_lattice(study: tuple[Path, Any]) -> None:
    value = study[1]["value"].sel(statistic=list(BINS))
    assert np.isfinite(value.sel(population=["E", "I"])).all()
    assert np.isnan(value.sel(population="all")).all()
    near, far = (
        value.sel(statistic=name, population="E", seed=1).squeeze() for name in ("correlation_near", "correlation_far")
    )
    assert (near > 3 * abs(far)).all()


def test_exponents_stand_beside_those_of_theory(study: tuple[Path, Any]) -> None:
    table = study[1]["tables/exponents"].to_dataset(inherit=False).to_dataframe()
    of_e = table[table["population_of"] == "E"].set_index("statistic_of")
    assert list(of_e.index) == list(BINS)
    n = np.log(720 / 320)
    smallest, largest = (of_e.loc["correlation_near", f"theory_{end}"] for end in ("smallest", "reference"))
    # through two sizes any power law goes
    assert of_e.loc["correlation_near", "theory_exponent"] == pytest.approx(np.log(largest / smallest) / n, abs=2e-3)
    # which says nothing of the simulation
    assert of_e["exponent"].isna().all()
    assert set(table["verdict"]) == {"undetermined"}
    assert table[table["population_of"] == "I"]["theory_exponent"].isna().all()
