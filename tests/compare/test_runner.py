"""The runner writes valid stores with provenance, the configuration reaches the functions, and measures are registered."""

import importlib
import inspect
from pathlib import Path
from typing import get_args

import pytest
import xarray as xr

from allometry import stores
from allometry.compare import kinds, runner
from allometry.compare.inference.blockwise import Estimate, in_words
from allometry.compare.kinds import connectome_reservoir
from allometry.compare.registry import MEASURES
from allometry.config.compare import AnyComparison
from allometry.errors import ComparisonError


def test_every_configured_kind_has_a_function_that_takes_its_options() -> None:
    models = get_args(get_args(AnyComparison)[0])
    assert {get_args(model.model_fields["kind"].annotation)[0] for model in models} == set(kinds.KINDS)
    for model in models:
        kind = get_args(model.model_fields["kind"].annotation)[0]
        function = getattr(importlib.import_module(kinds.module_of(kind)), kind)
        parameters = inspect.signature(function).parameters
        assert set(model.model_fields) - {"kind"} == set(parameters) - {"inputs"}, kind


def test_run_writes_scores_whose_measures_are_registered(worm: dict[str, xr.Dataset], tmp_path: Path) -> None:
    paths = {name: str(stores.write(store, tmp_path / f"{name}.zarr")) for name, store in worm.items()}
    options = {
        "kind": "structure_function",
        "function": ["atlas"],
        "structure": ["anatomy"],
        "nulls": 20,
        "bootstrap": 100,
        "seed": 5,
    }
    outs = [tmp_path / "first.zarr", tmp_path / "second.zarr"]
    for out in outs:
        runner.run(options, paths, out)
    tree = stores.open(outs[0], check="full")
    assert stores.attribute(tree, "parameters") == options
    assert tree.attrs["seed"] == 5
    atlas = stores.read_manifest(paths["atlas"])["content"]["content_sha256"]
    assert stores.attribute(tree, "source")["atlas.zarr"] == atlas
    assert set(tree["measure"].values.tolist()) <= set(MEASURES)
    assert stores.diff(*outs) == []


def test_unknown_kind_is_named() -> None:
    with pytest.raises(ComparisonError, match="unknown kind of comparison 'x'"):
        kinds.module_of("x")


def test_estimate_is_logged_before_anything_is_computed(
    worm: dict[str, xr.Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = str(stores.write(worm["anatomy"], tmp_path / "anatomy.zarr"))
    options = {"kind": "connectome_reservoir", "structure": ["anatomy"], "nulls": 5, "seed": 1}

    def refuse(*_: object, **__: object) -> None:
        raise ComparisonError("computing")

    monkeypatch.setattr(connectome_reservoir, "connectome_reservoir", refuse)
    caplog.set_level("INFO", logger="allometry.compare.runner")
    with pytest.raises(ComparisonError, match="computing"):
        runner.run(options, {"anatomy": path}, tmp_path / "out.zarr")
    need = next(iter(connectome_reservoir.estimates(worm, structure=["anatomy"], nulls=5)))
    # ten matrices of 80 x 80 float64, whatever the number of nulls, and 1000 states, of which the readout keeps copies
    assert need.peak_bytes == 8 * 80 * 80 * 10 + 8 * 1000 * 80 * 3
    assert f"estimate: {need}" in caplog.messages
    assert not (tmp_path / "out.zarr").exists()


def test_more_than_is_free_is_refused_before_anything_is_computed(caplog: pytest.LogCaptureFixture) -> None:
    def huge(inputs: object, **_: object) -> list[Estimate]:
        return [Estimate("tiny", 1000, 1, 1.0), Estimate("huge", 10**17, 1, 1.0)]

    caplog.set_level("INFO", logger="allometry.compare.runner")
    with pytest.raises(ComparisonError, match=r"huge needs about 1e\+08 GB of memory"):
        runner.announce(huge, {}, {"seed": 1})
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    caplog.clear()
    runner.announce(None, {}, {"seed": 1})
    assert not caplog.records


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_estimates_take_the_options_of_their_kind(kind: str) -> None:
    module = importlib.import_module(kinds.module_of(kind))
    if not hasattr(module, "estimates"):
        return
    taken = inspect.signature(module.estimates).parameters
    options = set(inspect.signature(getattr(module, kind)).parameters)
    assert any(p.kind is inspect.Parameter.VAR_KEYWORD for p in taken.values())
    assert {name for name, p in taken.items() if p.kind is not inspect.Parameter.VAR_KEYWORD} <= options


@pytest.mark.parametrize(
    ("size", "words"), [(420, "0 kB"), (73_000, "73 kB"), (1.26e6, "1.3 MB"), (9.6e8, "0.96 GB"), (1.2e11, "120 GB")]
)
def test_sizes_in_words(size: float, words: str) -> None:
    assert in_words(size) == words
