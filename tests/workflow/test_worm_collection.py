"""`config/worms.yaml` on genuine files: what of the collection the mirror has, held against what is published."""

from pathlib import Path

import pytest

from allometry import config
from allometry.report import published
from tests.workflow.conftest import Run

pytestmark = pytest.mark.slow


def test_what_the_mirror_has_of_the_collection_is_made_and_counted(
    snakemake: Run, root: Path, mirror: Path, tmp_path: Path
) -> None:
    asked = [("activity", "dag2023"), ("connectome", "white1986_n2u"), ("connectome", "varshney2011")]
    targets = [f"results/homogenized/{kind}/{name}.zarr" for kind, name in asked]
    configuration = str(root / "config/worms.yaml")
    done = snakemake(
        *targets, "--cores", "2", "--configfile", configuration, directory=tmp_path, ALLOMETRY_MIRROR=str(mirror)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Left out of this run: lin2023: recordings/opensource_neural_data/Lin2023 does not exist" in done.stderr
    registry = config.load_registry(config.load(configuration), root)
    given = {
        ("activity", "dag2023"): registry["dag2023"]["published"],
        ("connectome", "white1986_n2u"): registry["white1986"]["stores"]["white1986_n2u"]["published"],
        ("connectome", "varshney2011"): registry["varshney2011"]["stores"]["varshney2011"]["published"],
    }
    table = published.table(tmp_path / "results", given).set_index(["store", "quantity"])
    assert table.loc[("dag2023", "recordings"), "counted"] == 5
    assert table.loc[("dag2023", "recordings"), "published"] == 7
    assert (table.loc[["white1986_n2u", "varshney2011"], "verdict"] == "as published").all()
