"""The runner writes valid stores with provenance, the configuration reaches the functions, and measures are registered."""

import importlib
from pathlib import Path
from typing import Any, get_args

import pytest
import xarray as xr

from allometry import stores
from allometry.compare import kinds, runner
from allometry.compare.inference.blockwise import Estimate, in_words
from allometry.compare.kinds import connectome_reservoir
from allometry.compare.kinds.spike_statistics.profile import DISTRIBUTIONS, STATISTICS
from allometry.compare.measures.populations import decoding
from allometry.compare.measures.representations import geometry
from allometry.compare.records import kinds as records
from allometry.compare.registry import MEASURES
from allometry.config import validate
from allometry.errors import ComparisonError


def test_every_kind_has_options_and_a_module() -> None:
    assert tuple(records.all_options()) == kinds.KINDS
    for name, options in records.all_options().items():
        kind = kinds.find(name)
        assert (kind.name, kind.options, records.kind_of(options)) == (name, options, name)
        assert getattr(importlib.import_module(kinds.module_of(name)), name) is kind


def test_lists_of_options_are_those_of_what_computes() -> None:
    similarity = records.options_of("representation_similarity").model_fields
    assert similarity["measures"].default == [name for name in geometry.MEASURES if name != "svcca"]
    assert get_args(get_args(similarity["measures"].annotation)[0]) == geometry.MEASURES
    decoders = records.options_of("population_code").model_fields["decoders"]
    assert set(get_args(get_args(decoders.annotation)[0])) == set(decoding.DECODERS)
    assert set(DISTRIBUTIONS) < {*STATISTICS, "avalanche_size"}


def test_options_that_are_not_given_have_the_defaults_of_the_configuration() -> None:
    kind = kinds.find("structure_function")
    given = kind.given({"function": ["a"], "structure": ["b"], "nulls": 5})
    configured = validate(
        {"compare": {"comparisons": {"x": {"kind": "structure_function", "function": ["a"], "structure": ["b"]}}}}
    )
    assert given.model_dump() == {**configured.compare.comparisons["x"].model_dump(), "nulls": 5}
    assert "Degree-preserving rewirings per connectome." in str(kind.__doc__)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"function": ["a"], "structure": ["b"], "null": 5}, "no option 'null'[\\s\\S]*perhaps 'nulls' is meant"),
        ({"function": ["a"]}, "structure_function is not told structure"),
    ],
)
def test_misspelt_and_missing_options_are_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ComparisonError, match=said):
        kinds.find("structure_function")({}, **options)


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
    with pytest.raises(ComparisonError, match=r"unknown kind of comparison 'propagaton'[\s\S]*perhaps 'propagation'"):
        kinds.module_of("propagaton")


def test_estimate_is_logged_before_anything_is_computed(
    worm: dict[str, xr.Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = str(stores.write(worm["anatomy"], tmp_path / "anatomy.zarr"))
    options = {"kind": "connectome_reservoir", "structure": ["anatomy"], "nulls": 5, "seed": 1}

    def refuse(*_: object, **__: object) -> None:
        raise ComparisonError("computing")

    monkeypatch.setattr(connectome_reservoir.connectome_reservoir, "compute", refuse)
    caplog.set_level("INFO", logger="allometry.compare.runner")
    with pytest.raises(ComparisonError, match="computing"):
        runner.run(options, {"anatomy": path}, tmp_path / "out.zarr")
    need = next(iter(connectome_reservoir.estimates(worm, structure=["anatomy"], nulls=5)))
    # ten matrices of 80 x 80 float64, whatever the number of nulls, and 1000 states, of which the readout keeps copies
    assert need.peak_bytes == 8 * 80 * 80 * 10 + 8 * 1000 * 80 * 3
    assert f"estimate: {need}" in caplog.messages
    assert not (tmp_path / "out.zarr").exists()


def test_more_than_is_free_is_refused_before_anything_is_computed(caplog: pytest.LogCaptureFixture) -> None:
    huge = [Estimate("tiny", 1000, 1, 1.0), Estimate("huge", 10**17, 1, 1.0)]
    caplog.set_level("INFO", logger="allometry.compare.runner")
    with pytest.raises(ComparisonError, match=r"huge needs about 1e\+08 GB of memory"):
        runner.announce(huge)
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    caplog.clear()
    runner.announce(())
    assert not caplog.records


@pytest.mark.parametrize(
    ("size", "words"), [(420, "0 kB"), (73_000, "73 kB"), (1.26e6, "1.3 MB"), (9.6e8, "0.96 GB"), (1.2e11, "120 GB")]
)
def test_sizes_in_words(size: float, words: str) -> None:
    assert in_words(size) == words
