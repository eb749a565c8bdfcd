"""Edge rules; oracles: hand-made rows, and algebraic identities over random ones."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allometry.errors import ReaderError
from allometry.homogenize.connectomes.edges import from_matrix, sum_duplicates, symmetrise, tidy


def rows(*edges, synapse="chemical"):
    table = pd.DataFrame(edges, columns=["source", "target", "weight"], index=range(2, len(edges) + 2))
    return table.assign(synapse=synapse, weight=table["weight"].astype(float))


def as_dict(edges):
    return {(s, t): w for s, t, w in zip(edges["source"], edges["target"], edges["weight"])}


def test_electrical_edges_go_both_ways_with_the_mean_or_the_one_listed():
    both, record = symmetrise(rows(("A", "B", 2), ("B", "A", 4), ("C", "A", 3), ("C", "C", 7), synapse="electrical"))
    assert as_dict(both) == {("A", "B"): 3, ("B", "A"): 3, ("A", "C"): 3, ("C", "A"): 3, ("C", "C"): 7}
    kept = both.set_index(["source", "target"])
    assert tuple(kept.loc[("A", "B"), ["weight_forward", "weight_backward"]]) == (2, 4)
    assert tuple(kept.loc[("B", "A"), ["weight_forward", "weight_backward"]]) == (4, 2)
    assert kept.loc[[("A", "C"), ("C", "C")], ["weight_forward", "weight_backward"]].isna().all(axis=None)
    counts = {key: value for key, value in record["electrical"].items() if key != "rule"}
    assert counts == {"pairs": 3, "pairs_listed_both_ways": 1, "pairs_with_different_weights": 1, "self_junctions": 1}


@given(st.dictionaries(st.tuples(st.sampled_from("ABCD"), st.sampled_from("ABCD")), st.integers(1, 50), min_size=1))
def test_symmetry_and_conservation(listed):
    both, record = symmetrise(rows(*((s, t, w) for (s, t), w in listed.items()), synapse="electrical"))
    weights = as_dict(both)
    assert all(weights[t, s] == w for (s, t), w in weights.items())
    for (s, t), w in listed.items():
        assert weights[s, t] == (w + listed.get((t, s), w)) / 2
    assert {frozenset(p) for p in weights} == {frozenset(p) for p in listed}
    assert record["electrical"]["pairs"] == len({frozenset(p) for p in listed})


def test_duplicates_are_summed_and_recorded():
    edges, record = sum_duplicates(rows(("A", "B", 2), ("A", "B", 3), ("B", "A", 1)))
    assert as_dict(edges) == {("A", "B"): 5, ("B", "A"): 1}
    assert record == {"duplicate_rows_summed": 1, "duplicate_rows_example": "A -> B (chemical)"}


def test_tidy_keeps_a_record_of_all_it_does():
    table = pd.concat([rows(("B", "A", 2), ("A", "B", 0), ("A", "B", 5)), rows(("A", "B", 1), synapse="electrical")])
    edges, record = tidy(table, "f")
    assert list(zip(edges["synapse"], edges["source"], edges["target"], edges["weight"])) == [
        ("chemical", "A", "B", 5),
        ("chemical", "B", "A", 2),
        ("electrical", "A", "B", 1),
        ("electrical", "B", "A", 1),
    ]
    assert record["zero_weight_rows_dropped"] == 1
    assert record["listed"] == {"chemical": {"rows": 3, "weight": 7}, "electrical": {"rows": 1, "weight": 1}}


@pytest.mark.parametrize("weight", [np.nan, np.inf, -1.0])
def test_bad_anatomical_weights_are_errors_that_name_the_row(weight):
    with pytest.raises(ReaderError) as error:
        tidy(rows(("A", "B", 1), ("B", "C", weight)), "table.csv")
    assert error.value.where == "table.csv, row 3"
    assert "B -> C" in error.value.what


def test_negative_weights_are_data_in_functional_connectomes():
    edges, _ = tidy(rows(("A", "B", -0.5), synapse="functional"), "f")
    assert as_dict(edges) == {("A", "B"): -0.5}


def test_from_matrix_is_source_by_target():
    edges = from_matrix(np.array([[0, 2], [0, 0]]), "AB", "CD", "chemical", "f")
    assert as_dict(edges) == {("A", "D"): 2}
    with pytest.raises(ReaderError, match="A -> D"):
        from_matrix(np.array([[0, np.nan], [0, 0]]), "AB", "CD", "chemical", "f")
