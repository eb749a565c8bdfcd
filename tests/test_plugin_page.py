"""Every example of docs/plugins.md does what the page says."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from allometry import config, homogenize, plugins, retrieve, stores
from allometry.checks import check_names
from allometry.compare.registry import find
from allometry.errors import ConfigError
from allometry.simulate.point import run_point

FENCE = re.compile(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def examples(root: Path) -> list[tuple[str, str]]:
    """File and text of every example, in the order of the page."""
    text = (root / "docs/plugins.md").read_text(encoding="utf-8")
    return [(name, code) for _, name, code in FENCE.findall(text)]


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
    (text,) = [code for name, code in examples if name == "my.yaml" and containing in code]
    (lab / "my.yaml").write_text(text)
    cfg = config.load(lab / "my.yaml")
    check_names(cfg, config.load_registry(cfg, Path(__file__).parents[1]))
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


def test_reader(lab: Path, examples: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lab)
    rng = np.random.default_rng(1)
    green, red = rng.normal(size=(2, 60, 2))
    np.savez(lab / "worm.npz", green=green, red=red, fps=3.0, names=np.array(["AVAL", "VB02"]))
    cfg = configured(lab, examples, "two_channels")
    entry = config.load_registry(cfg, Path(__file__).parents[1])["my_worms"]
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
        check_names(wrong, config.load_registry(wrong, Path(__file__).parents[1]))
    assert error.value.do == "perhaps 'channel' is meant"


def test_reader_touches_one_file_and_the_configuration(examples: list[tuple[str, str]]) -> None:
    files = [name for name, code in examples if "two_channels" in code]
    assert sorted(files) == ["my.yaml", "my_lab/traces.py"]
