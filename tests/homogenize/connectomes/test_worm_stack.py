"""The stack on the canonical axis; oracle: each entry looked up in the connectome it came from."""

import numpy as np
import pytest

from allometry import stores
from allometry.errors import ReaderError, StoreError
from allometry.homogenize.connectomes.worm_stack import stack_worm, stacked
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from allometry.homogenize.worm.neurons import NEURONS
from tests.homogenize import fixtures_connectomes as fixtures


@pytest.fixture(scope="module")
def connectomes(tmp_path_factory):
    made = {}
    for name in ("witvliet2020", "openworm", "randi2023"):
        files, options = fixtures.WRITERS[name](tmp_path_factory.mktemp(name))
        made[name] = READERS[name](files, Source(name, files=dict.fromkeys(files, "0" * 64)), options)
    return made


def test_every_entry_is_the_edge_it_stands_for(connectomes):
    stack = stacked(connectomes)
    assert stack["source"].values.tolist() == stack["target"].values.tolist() == list(NEURONS)
    for name, connectome in connectomes.items():
        labels = connectome["node"].values.tolist()
        for kind in ("chemical", "electrical", "functional"):
            matrix = stack[kind].sel(annotation=name).values
            if kind not in stores.attribute(connectome, "absent_means"):
                assert np.isnan(matrix).all()
                continue
            small, dense = stores.to_dense(connectome, kind)
            place = {label: i for i, label in enumerate(small.tolist())}
            for i, source in enumerate(NEURONS):
                for j, target in enumerate(NEURONS):
                    if source in place and target in place:
                        np.testing.assert_equal(matrix[i, j], dense[place[source], place[target]])
                    elif np.isfinite(matrix[i, j]):
                        raise AssertionError(f"{name}, {kind}: {source} -> {target} is not in the connectome")
        off = [label for label in labels if label not in NEURONS]
        assert stores.attribute(stack, "derived")[name]["nodes_left_out"] == len(off)


def test_stacks_are_stores(connectomes, tmp_path):
    paths = {name: stores.write(dataset, tmp_path / f"{name}.zarr") for name, dataset in connectomes.items()}
    stack_worm(paths, tmp_path / "worm_stack.zarr", {"rule": "test"})
    opened = stores.open(tmp_path / "worm_stack.zarr", check="full")
    assert stores.verify(tmp_path / "worm_stack.zarr") == []
    np.testing.assert_array_equal(opened["chemical"].values, stacked(connectomes)["chemical"].values)
    assert stores.attribute(opened, "parameters")["annotations"] == list(connectomes)


def test_violations_are_named(connectomes):
    stack = stacked(connectomes)
    negative = stack.copy(deep=True)
    negative["chemical"].values[0] = np.where(np.isnan(negative["chemical"].values[0]), np.nan, -1)
    assert any("negative" in line for line in stores.violations(negative))
    invented = stack.copy(deep=True)
    invented["electrical"].values[2, 0, 0] = 1
    assert any("does not list" in line for line in stores.violations(invented))
    with pytest.raises(StoreError):
        stores.validate(invented)


def test_nothing_to_stack():
    with pytest.raises(ReaderError, match="no connectome to stack"):
        stacked({})
