"""Statistics of a study against size: one figure, or one of each theme where there are many."""

import json

import numpy as np
import xarray as xr

from allometry import config, stores
from allometry.report import figures
from allometry.scale import STATISTICS
from allometry.scale.statistics.records import MANY, themes
from allometry.workflow import snakefile
from tests.scale.test_checks import configured
from tests.stores import samples


def test_few_statistics_are_one_figure_and_many_have_themes() -> None:
    few = [name for name, one in STATISTICS.items() if one.of == "spikes"][:MANY]
    assert themes(few) == {"": few}
    many = [name for name, one in STATISTICS.items() if one.of == "spikes"]
    found = themes(many)
    assert set(found) == {"rates", "variability", "inputs", "tuning", "distance"}
    assert sorted(name for names in found.values() for name in names) == sorted(many)


def test_every_statistic_of_a_study_is_in_one_figure_of_the_report() -> None:
    for cfg in (configured(), config.load("config/scaling.yaml")):
        drawn = snakefile.figures(cfg, {})["studies"].drawn
        for name, study in cfg.scale.studies.items():
            mine = {key: one for key, one in drawn.items() if key.endswith(f"_of_{name}") and one.plot == "statistics"}
            if len(study.statistics) <= MANY:
                assert [one.options for one in mine.values()] == [{}]
            else:
                assert [x for one in mine.values() for x in one.options["chosen"]] == sorted(
                    study.statistics, key=lambda x: list(mine).index(f"scaled_{STATISTICS[x].theme}_of_{name}")
                )


def test_a_theme_draws_what_it_has(tmp_path) -> None:
    tree = samples.scaling()
    names = tree["statistic"].values.tolist()
    described = {f"statistic {name}": "as it is" for name in names} | {"reference": "the full size"}
    root = tree.to_dataset(inherit=False)
    tree.dataset = root.assign_attrs(derived=json.dumps(described))
    stores.write(tree, tmp_path / "sizes.zarr")
    whole = figures.statistics(tmp_path / "sizes.zarr")
    one = figures.statistics(tmp_path / "sizes.zarr", chosen=names[:1], theme="rates")
    assert "every statistic against size" in whole.title
    assert one.title.endswith("rates against size")
    assert 0 < len(one.figure.axes) < len(whole.figure.axes)
    for ax in one.figure.axes:
        assert names[0].replace("_", " ") in ax.get_title("left") + ax.get_title()


def test_values_far_apart_are_all_within_the_axes(tmp_path) -> None:
    """What is a thousand times off is drawn on a logarithmic axis, what is twice off on a linear one."""
    tree = samples.scaling()
    names = tree["statistic"].values.tolist()
    described = {f"statistic {name}": "as it is" for name in names} | {"reference": "the full size"}
    root = tree.to_dataset(inherit=False).copy(deep=True)
    smallest = root["size"].values.min()
    assert len(root["size"]) > 1
    for factor, scale in ((2.0, "linear"), (1000.0, "log")):
        far = root.copy(deep=True)
        for name in ("value", "mean", "ci_low", "ci_high"):
            far[name] = abs(far[name]) + 1.0
            far[name] = far[name] * xr.where(far["size"] == smallest, factor, 1.0)
        store = tmp_path / f"{scale}.zarr"
        tree.dataset = far.assign_attrs(derived=json.dumps(described))
        stores.write(tree, store)
        drawn = figures.statistics(store, chosen=names[:1])
        for ax in drawn.figure.axes:
            assert ax.get_yscale() == scale
            low, high = ax.get_ylim()
            heights = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() not in ("", "None")])
            assert len(heights) >= len(root["size"])
            assert (low < heights.min()) & (heights.max() < high)


def test_a_population_without_a_statistic_has_no_panel_of_it(tmp_path) -> None:
    tree = samples.scaling()
    root = tree.to_dataset(inherit=False).copy(deep=True)
    names, populations = root["statistic"].values.tolist(), root["population"].values.tolist()
    described = {f"statistic {name}": "as it is" for name in names} | {"reference": "the full size"}
    for name in ("value", "mean", "ci_low", "ci_high"):
        root[name].loc[{"statistic": names[0], "population": populations[-1]}] = np.nan
    tree.dataset = root.assign_attrs(derived=json.dumps(described))
    stores.write(tree, tmp_path / "sizes.zarr")
    titles = [ax.get_title("left") + ax.get_title() for ax in figures.statistics(tmp_path / "sizes.zarr").figure.axes]
    assert not any(f"{names[0]}, {populations[-1]}" in said for said in titles)
    assert any(f"{names[1]}, {populations[-1]}" in said for said in titles)
