"""Stores of comparisons and studies keep their form when they are rounded."""

import numpy as np

from allometry import stores
from allometry.numerics.rounding import rounded
from tests.stores import samples


def test_a_rounded_study_is_valid_and_differs_in_floats_alone() -> None:
    tree = samples.scaling()
    found = tree.map_over_datasets(rounded)
    assert stores.violations(found) == []
    assert found.attrs == tree.attrs
    for before, after in zip(tree.subtree, found.subtree, strict=True):
        assert after.path == before.path
        for name, variable in before.to_dataset().variables.items():
            other = after.to_dataset().variables[name]
            assert (other.dims, other.dtype, other.attrs) == (variable.dims, variable.dtype, variable.attrs)
            if variable.dtype == np.float64:
                np.testing.assert_allclose(other.values, variable.values, rtol=5.1e-10)
            else:
                np.testing.assert_array_equal(other.values, variable.values)
