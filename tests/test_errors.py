"""Errors say what, where, expected and what to do, survive pickling between workers, and end scripts cleanly."""

import pickle
from pathlib import Path

import pytest

from allometry.errors import AllometryError, ReaderError, script_log


def test_message_has_all_four_parts() -> None:
    text = str(ReaderError("no such sheet", where="book.xlsx", expected="sheet 'hermaphrodite'", do="check the file"))
    assert text.splitlines()[0] == "no such sheet"
    assert all(part in text for part in ("book.xlsx", "sheet 'hermaphrodite'", "check the file"))


def test_error_crosses_process_boundaries_unchanged() -> None:
    error = ReaderError("a", "b", "c", "d")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is ReaderError
    assert (copy.what, copy.where, copy.expected, copy.do) == ("a", "b", "c", "d")
    assert str(copy) == str(error)


def test_script_ends_with_status_1_and_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_, script_log(tmp_path / "log" / "x.log"):
        raise AllometryError("the file is empty", where="x.csv")
    assert exit_.value.code == 1
    log = (tmp_path / "log" / "x.log").read_text()
    assert "the file is empty" in log
    assert "x.csv" in log
    assert "Traceback" not in log + capsys.readouterr().err


def test_unexpected_errors_keep_their_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), script_log(tmp_path / "x.log"):
        _ = 1 / 0
    assert "ZeroDivisionError" in (tmp_path / "x.log").read_text()
