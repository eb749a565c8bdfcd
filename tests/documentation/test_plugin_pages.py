"""Every example of the pages plugins, own-measure and own-comparison does what the page says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allometry import config, homogenize, plugins, retrieve, stores
from allometry.compare import runner
from allometry.compare.registry import find
from allometry.errors import ConfigError
from allometry.generate import __main__ as generate
from allometry.report import figures
from allometry.simulate import Execution
from allometry.simulate.features import fit_feature, run_feature
from allometry.simulate.point import run_point
from allometry.workflow.checks.names import check_names
from allometry.workflow.places import feature_runs
from tests.documentation import pages
from tests.report.samples import ATTRS

PAGES = ("plugins", "own-measure", "own-comparison")


@pytest.fixture(scope="module")
def examples() -> list[tuple[str, str]]:
    """File and text of every example, in the order of the pages."""
    found = [block for name in PAGES for block in pages.blocks(pages.page(name)) if block.title]
    return [(block.title, block.text) for block in found]


@pytest.fixture
def lab(examples: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the configuration, with all modules of the page's plugin."""
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    for name, code in examples:
        if name.endswith(".py"):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(code)
    yield tmp_path
    plugins.forget()


def configured(lab: Path, examples: list[tuple[str, str]], containing: str) -> config.Config:
    """The configuration of the page that contains a text, validated as the workflow does."""
    text = min((code for name, code in examples if name == "my.yaml" and containing in code), key=len)
    (lab / "my.yaml").write_text(text)
    cfg = config.load(lab / "my.yaml")
    check_names(cfg, config.load_registry(cfg, Path(__file__).parents[2]))
    return cfg


def test_measure(lab: Path) -> None:
    plugins.use(["my_lab"], [lab])
    entry = find("rate_ratio")
    assert (entry.family, entry.function([2.0, 4.0], [1.0, 1.0])) == ("my_lab", 3.0)


def test_network_model(lab: Path, examples: list[tuple[str, str]]) -> None:
    cfg = configured(lab, examples, "noise_driven")
    slow, fast = config.points(cfg.simulate.runs["driven"])
    spikes = []
    for point in (slow, fast):
        run_point(point.parameters, lab / f"{point.name}.zarr")
        store = stores.open(lab / f"{point.name}.zarr")
        assert store.attrs["citation"] == "this page"
        assert store.sizes["unit"] == 20
        spikes.append(store.sizes["spike"])
    assert spikes[0] < spikes[1]


def test_neuron_model(lab: Path, examples: list[tuple[str, str]]) -> None:
    (point,) = config.points(configured(lab, examples, "integrators").simulate.runs["integrated"])
    run_point(point.parameters, lab / "one.zarr")
    store = stores.open(lab / "one.zarr")
    # 15 mV * 250 pF / 400 pA = 9.375 ms, which is met at the end of a step of .1 ms
    assert store.sizes["spike"] == 10 * int(200.0 / 9.4)
    assert set(np.diff(store["spike_step"].values[store["spike_unit"].values == 0])) == {94}
    cut = Execution(partitions=2, threads=1)
    run_point(point.parameters, lab / "two.zarr", execution=cut)
    np.testing.assert_array_equal(stores.open(lab / "two.zarr")["spike_step"], store["spike_step"])


def test_kind_of_comparison_with_its_figure(
    lab: Path, examples: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lab)
    cfg = configured(lab, examples, "rate_comparison")
    options = cfg.compare.comparisons["my_rates"]
    paths = {}
    for point, spikes in zip(
        config.points(cfg.simulate.runs["driven"]), ([0] * 2 + [1, 2, 3], [0] * 6 + [1] * 3 + [2] * 3 + [3] * 3)
    ):
        units = pd.DataFrame({"population": ["all"] * 4}, index=pd.Index(list("abcd"), name="unit"))
        store = stores.spikes_simulated(
            np.arange(len(spikes)),
            np.array(spikes),
            dt_ms=0.1,
            units=units,
            duration_ms=100.0,
            attrs={**ATTRS, "seed": 1},
        )
        paths[point.name] = str(stores.write(store, lab / f"{point.name}.zarr"))
    runner.run(options.model_dump(mode="json"), paths, lab / "out.zarr", cards=lab / "cards.json")
    tree = stores.open(lab / "out.zarr", check="full")
    assert tree["score"].values.tolist() == [3.0]
    (card,) = json.loads((lab / "cards.json").read_text())
    assert (card["identity"]["family"], card["identity"]["defined_by"]) == ("my_lab", "this page")
    assert card["validity"]["use"] == "how many times as fast does one population fire?"
    drawing = figures.comparison(lab / "out.zarr")
    assert drawing.caption.startswith("Mean rates of the points, relative to those of the first.")
    assert (drawing.numbers["mark"] == "bar").all()
    drawing.save(lab / "out.png")
    assert (lab / "out.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "rate_comparisn", "run": "driven"}, "unknown kind 'rate_comparisn'; did you mean 'rate_comparison'?"),
        ({"kind": "rate_comparison", "run": "driven", "bootstrp": 1}, "unknown key; did you mean 'bootstrap'?"),
        ({"kind": "rate_comparison", "run": "driven", "bootstrap": 1}, "a number of at least 100 expected"),
        ({"kind": "rate_comparison"}, "my_rates.run: missing, and required"),
    ],
)
def test_options_of_a_kind_are_checked_like_those_of_the_package(lab: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.validate({"plugins": ["my_lab"], "compare": {"comparisons": {"my_rates": given}}}, folders=[lab])
    assert said in str(error.value)


def test_schema_and_pages_have_the_parts_of_a_plugin(
    lab: Path, examples: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    configured(lab, examples, "rate_comparison")
    assert generate.main([str(lab / "my.yaml"), str(lab / "pages")]) == 0
    schema = json.loads((lab / "pages/config/schema.json").read_text())
    assert schema["$defs"]["RateComparison"]["properties"]["bootstrap"]["minimum"] == 100
    for page, word in (
        ("configuration", "## `compare.comparisons.<rate_comparison>`"),
        ("measures", "`rate_ratio` 1"),
        ("models", "## noise_driven"),
        ("readers", "two_channels"),
    ):
        assert word in (lab / f"pages/docs/{page}.md").read_text(), page
    (lab / "my.yaml").write_text("plugins: [other_lab]\n")
    assert generate.main([str(lab / "my.yaml"), str(lab / "pages")]) == 1
    assert "PluginError: there is no plugin 'other_lab'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("part", "files"),
    [
        ("rate_ratio(rates, others)", ["my_lab/rates.py"]),
        ("def noise_driven", ["my_lab/models.py"]),
        ("class RateComparison", ["my_lab/rate_comparison.py"]),
        ("def two_channels", ["my_lab/traces.py"]),
        ("PerfectIntegrator", ["my_lab/neurons.py"]),
    ],
)
def test_each_example_is_one_file(examples: list[tuple[str, str]], part: str, files: list[str]) -> None:
    assert [name for name, code in examples if part in code] == files


def test_reader(lab: Path, examples: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lab)
    rng = np.random.default_rng(1)
    green, red = rng.normal(size=(2, 60, 2))
    np.savez(lab / "worm.npz", green=green, red=red, fps=3.0, names=np.array(["AVAL", "VB02"]))
    cfg = configured(lab, examples, "two_channels")
    entry = config.load_registry(cfg, Path(__file__).parents[2])["my_worms"]
    retrieve.run("my_worms", entry, lab / "my_worms", None, lab / "cache")
    homogenize.run(
        entry, "my_worms", lab / "my_worms", lab / "out.zarr", recordings=cfg.homogenize.recordings.model_dump()
    )
    trace = stores.open(lab / "out.zarr")["native/worm/trace"].values
    np.testing.assert_allclose(trace, red, rtol=1e-6)
    wrong = cfg.model_copy(
        update={"homogenize": cfg.homogenize.model_copy(update={"options": {"my_worms": {"chanel": "red"}}})}
    )
    with pytest.raises(ConfigError, match="unknown option 'chanel' of the reader two_channels") as error:
        check_names(wrong, config.load_registry(wrong, Path(__file__).parents[2]))
    assert error.value.do == "perhaps 'channel' is meant"


def test_reader_touches_one_file_and_the_configuration(examples: list[tuple[str, str]]) -> None:
    files = [name for name, code in examples if "two_channels" in code]
    assert sorted(files) == ["my.yaml", "my_lab/traces.py"]


def test_feature_model(lab: Path, examples: list[tuple[str, str]]) -> None:
    cfg = configured(lab, examples, "model: lines")
    points = config.points(cfg.simulate.runs["contrasts"])
    (fit,) = feature_runs.fits(cfg, "contrasts").values()
    fit_feature(fit, lab / "one.fit.json")
    for point in points:
        run_feature(point.parameters, lab / f"{point.name}.zarr", lab / "one.fit.json")
    found = [stores.open(lab / f"{point.name}.zarr")["response"].values for point in points]
    assert found[0].shape == (6, 12)
    assert np.abs(found[0] - found[1]).max() > 0
    (lab / "bad.yaml").write_text((lab / "my.yaml").read_text().replace("units: 6", "units: 0"))
    refused = config.load(lab / "bad.yaml")
    with pytest.raises(ConfigError, match="a unit, and noise from 0"):
        check_names(refused, {})
