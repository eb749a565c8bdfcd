"""Figures and tables of networks in space: what is drawn is what the store holds."""

from pathlib import Path

import numpy as np
import pytest

from allometry import config, stores
from allometry.report import figures
from allometry.report.page import contents
from allometry.report.scaling import laws
from allometry.report.scaling.study import Study
from allometry.scale.statistics import distance  # noqa: F401 - registers its statistics
from allometry.workflow import snakefile
from tests.report.samples import title
from tests.report.scaling import space


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("space")
    return [space.write(folder / f"space_{regime}.zarr", regime) for regime in ("narrow", "broad")]


def test_course_seeds_and_theory_are_drawn_of_both_regimes(paths: list[Path]) -> None:
    for path, many in zip(paths, (True, False)):
        drawn = figures.distance(path)
        tree = stores.open(path)
        first, middle, right = drawn.figure.axes
        assert title(first) == "1,280 neurons"
        lines = {line.get_label(): line.get_ydata() for line in first.lines}
        expected = tree["tables/correlation_theory"]["expected"].sel(size=space.SIZES[-1]).squeeze()
        np.testing.assert_allclose(lines["theory, finite gain"], expected)
        # the limit of many neurons exists in one regime alone
        assert ("many neurons" in lines) is many
        course = tree["tables/correlation_course"]["correlation"].sel(size=space.SIZES[-1]).squeeze()
        np.testing.assert_allclose(lines["simulated, mean"], course.mean("seed"))
        drawn_seeds = [
            line.get_ydata() for line in first.lines if len(line.get_ydata()) == 21 and line.get_alpha() == 0.7
        ]
        np.testing.assert_allclose(drawn_seeds, course.values)
        assert len([line for line in middle.lines if line.get_marker() == "o"]) == len(space.SIZES)
        said = [text.get_text() for text in right.get_legend().get_texts()]
        assert said[0].startswith("near: −0.5")
        assert "; theory −" in said[0] or "; theory 0" in said[0]
        assert "windows of 250 ms" in drawn.caption


def test_all_studies_are_one_table_with_theory_beside_the_exponents(paths: list[Path]) -> None:
    found = laws.tables([str(path) for path in paths])[laws.TITLE]
    assert found["study"].tolist() == ["space_narrow"] * 3 + ["space_broad"] * 3  # type: ignore[index]
    near = found.iloc[0]  # type: ignore[union-attr]
    assert near["verdict by number of neurons"] == "320: changed; 720: changed"
    assert near["exponent (95 % interval)"].startswith("−0.5")
    table = stores.open(paths[0])["tables/exponents"].to_dataset(inherit=False).to_dataframe()
    assert near["exponent of theory"] == pytest.approx(table["theory_exponent"].iloc[0])
    assert near["theory"] == table["verdict"].iloc[0]
    assert laws.tables([]) == {}


def test_gain_loss_and_exponents_are_drawn_together(paths: list[Path]) -> None:
    drawn = figures.laws([str(path) for path in paths])
    gain, loss, forest = drawn.figure.axes
    # a second of the smallest network takes a quarter of that of the largest, which has four times its neurons
    np.testing.assert_allclose(gain.lines[0].get_ydata(), [4.0, (4 / 3) ** 2, 1.0])
    np.testing.assert_allclose(gain.lines[0].get_xdata(), [1 / 4, (3 / 4) ** 2, 1.0])
    assert loss.lines[0].get_ydata().tolist() == [100.0, 100.0]
    labels = [text.get_text() for text in forest.get_yticklabels()]
    assert labels[0] == "space_narrow: correlation near, E"
    assert [Study(str(path)).name for path in paths] == ["space_narrow", "space_broad"]


def test_studies_in_space_and_several_studies_have_figures_of_their_own() -> None:
    drawn = snakefile.figures(config.load("config/scaling.yaml"), {})["studies"].drawn
    assert drawn["scaled_correlations_of_space_broad"].plot == "distance"
    assert not any(name.startswith("scaled_correlations_of_v1") for name in drawn)
    assert len(drawn["scaled_laws_of_all"].stores) == 4


def test_the_page_has_a_part_of_all_studies(monkeypatch: pytest.MonkeyPatch) -> None:
    """What joins the studies comes first; every other figure of theirs is in the part of single ones."""
    for name in ("recordings_table", "catalog_table", "store_table", "data_table"):
        monkeypatch.setattr(contents, name, lambda *_: None)
    images = ["scaled_space_broad.png", "scaled_laws_of_all.png", "scaled_correlations_of_space_broad.png"]
    made = contents.Made([], images)
    found = {part.anchor: part for part in contents.sections(made, {}, {"packages": [], "elsewhere": []}, {})}
    first, second = found["scaling"].parts
    assert (first.title, first.figures) == ("What do I lose, what do I gain", images[1:2])
    assert second.figures == [images[0], images[2]]
