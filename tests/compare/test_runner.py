"""The runner writes valid stores with provenance, the configuration reaches the functions, and measures are registered."""

import inspect
from pathlib import Path
from typing import get_args

import pytest
import xarray as xr

from allometry import stores
from allometry.compare import kinds, runner
from allometry.compare.registry import MEASURES
from allometry.config.compare import AnyComparison
from allometry.errors import ComparisonError


def test_every_configured_kind_has_a_function_that_takes_its_options() -> None:
    import importlib

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
    assert tree.attrs["parameters"] == options
    assert tree.attrs["seed"] == 5
    atlas = stores.read_manifest(paths["atlas"])["content"]["content_sha256"]
    assert tree.attrs["source"]["atlas.zarr"] == atlas
    assert set(tree["measure"].values.tolist()) <= set(MEASURES)
    assert stores.diff(*outs) == []


def test_unknown_kind_is_named() -> None:
    with pytest.raises(ComparisonError, match="unknown kind of comparison 'x'"):
        kinds.module_of("x")
