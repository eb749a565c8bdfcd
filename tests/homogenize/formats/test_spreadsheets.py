"""Delimited tables whose rows do not fit their header."""

import pytest

from allometry.errors import ReaderError
from allometry.homogenize.formats import spreadsheets


def test_cells_are_text_as_written():
    table = spreadsheets.text_frame(b"id,name\n01,\n1E5,NA\n", "t.csv")
    assert table.to_numpy().tolist() == [["01", ""], ["1E5", "NA"]]


def test_rows_longer_than_the_header_do_not_shift_the_columns():
    with pytest.raises(ReaderError, match="more fields than the header") as caught:
        spreadsheets.text_frame(b"id,name\n1,a,x\n2,b,y\n", "t.csv")
    assert caught.value.where == "t.csv, row 2"


def test_long_rows_are_named():
    rows = [["id", "name"], ["1", "a"], ["2", "b", "c"]]
    with pytest.raises(ReaderError, match="row has 3 fields, the header 2") as caught:
        spreadsheets.refuse_long_rows(rows, "t.csv")
    assert caught.value.where == "t.csv, row 3"
    spreadsheets.refuse_long_rows(rows[:2], "t.csv")
