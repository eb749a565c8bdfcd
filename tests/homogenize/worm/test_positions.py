"""Soma positions: where cells are known to lie, and every way in which the table can be wrong."""

from pathlib import Path

import numpy as np
import pytest

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import cook2019
from allometry.homogenize.worm.neurons import NEURONS
from allometry.homogenize.worm.positions import read_positions
from tests.homogenize import fixtures_connectomes as fixtures
from tests.homogenize.connectome_sources import read_from_wheel

TABLE = "# AVAL AVAR VB02 AVAL\n0.1 -2.7 0.4\n-0.1 -2.7 0.4\n0 1.5 -0.2\n0.1 -2.7 0.4\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "neuron_positions.txt"
    path.write_text(TABLE)
    return path


def test_positions_are_in_micrometres_under_canonical_names(table: Path) -> None:
    found = read_positions(table)
    assert found.index.tolist() == ["AVAL", "AVAR", "VB2"]
    assert found.loc["VB2"].tolist() == pytest.approx([0, 150, -20])


def test_two_neurons_at_one_place_are_two(table: Path) -> None:
    table.write_text("# AVAL AVAR\n0 1 2\n0 1 2\n")
    assert read_positions(table).index.tolist() == ["AVAL", "AVAR"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names is missing"),
        ("AVAL\n0 0 0\n", "names is missing"),
        ("# AVAL AVAR\n0 0 0\n", "2 names"),
        ("# AVAL\n0 0\n", "shape"),
        ("# AVAL\n0 0 nan\n", "1 names"),
        ("# AVAL AVAR\n0 0 0\n0 x 0\n", "not a number"),
        ("# AVAL AVAL\n0 0 0\n0 0 1\n", "two positions"),
        ("# AVAL XYZ\n0 0 0\n0 0 1\n", "unknown neuron"),
    ],
)
def test_wrong_tables_are_refused(table: Path, text: str, message: str) -> None:
    table.write_text(text)
    with pytest.raises(ReaderError, match=message):
        read_positions(table)


def test_positions_join_the_connectome(tmp_path: Path, table: Path) -> None:
    files, options = fixtures.cook2019(tmp_path)
    files = {**files, table.name: table}
    source = Source("cook", files=dict.fromkeys(files, "0" * 64))
    plain = cook2019.READER(files, source, options)
    assert "x" not in plain
    found = cook2019.READER(files, source, {**options, "positions": table.name})
    assert stores.violations(found) == []
    there = found["node"].isin(["AVAL", "AVAR", "VB2"]).values
    assert there.any()
    assert np.isfinite(found["y"].values).tolist() == there.tolist()
    assert found["x"].attrs["units"] == "um"
    assert table.name in stores.attribute(found, "source")
    assert found.drop_vars(["x", "y", "z"]).equals(plain)
    with pytest.raises(ReaderError, match="hermaphrodite"):
        cook2019.READER(files, source, {**options, "sex": "male", "positions": table.name})


def test_genuine_somata_lie_where_anatomy_says(tmp_path: Path) -> None:
    found = read_from_wheel("cook2019_somata", tmp_path)
    nodes = found[["x", "y", "z"]].to_dataframe()
    assert sorted(nodes.dropna().index) == sorted(NEURONS)
    pairs = [name[:-1] for name in NEURONS if name.endswith("L") and name[:-1] + "R" in NEURONS]
    left = [nodes.x[pair + "L"] > nodes.x[pair + "R"] for pair in pairs]
    assert np.mean(left) > 0.95
    # motor neurons of a class are numbered from head to tail
    for motor, count in (("DA", 9), ("VA", 12), ("DB", 7), ("DD", 6), ("VD", 13)):
        along = nodes.y[[f"{motor}{k}" for k in range(1, count + 1)]].to_numpy()
        assert (np.diff(along) > 0).mean() > 0.8
    assert nodes.y[["AVAL", "AVBR", "ASHL", "I1L"]].max() < -200  # head
    assert nodes.y[["PVCL", "PLML", "PHAR", "DVA"]].min() > 350  # tail
    assert abs(nodes.y["HSNL"]) < 150  # at the vulva
    assert 600 < np.ptp(nodes.y[list(NEURONS)]) < 1000  # of an adult of about 1 mm
