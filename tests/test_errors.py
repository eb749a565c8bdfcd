"""Errors say what, where, expected and what to do, survive pickling between workers, and end scripts cleanly."""

import errno
import os
import pickle
import signal
from pathlib import Path

import pytest

from allometry import errors
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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_disk_that_refuses_is_one_message_with_the_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    with pytest.raises(SystemExit) as exit_, script_log(tmp_path / "x.log"):
        raise OSError(number, os.strerror(number), str(tmp_path / "out.csv"))
    assert exit_.value.code == 1
    for said in ((tmp_path / "x.log").read_text(), capsys.readouterr().err):
        assert os.strerror(number) in said
        assert f"where:    {tmp_path / 'out.csv'}\n" in said
        assert "to do:" in said
        assert "Traceback" not in said


def test_a_missing_file_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), script_log(tmp_path / "x.log"):
        (tmp_path / "none").read_text()
    assert "Traceback" in (tmp_path / "x.log").read_text()


def test_a_log_that_cannot_be_opened_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").touch()
    with pytest.raises(SystemExit) as exit_, script_log(tmp_path / "log" / "x.log"):
        pytest.fail("not reached")
    assert exit_.value.code == 1
    assert "x.log" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_under_the_log_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with script_log("/dev/full") as logger:
        logger.info("one")
        logger.info("two")
    said = capsys.readouterr().err
    assert said.count("cannot write the log /dev/full") == 1
    assert "Traceback" not in said
    assert "two" in said


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_termination_that_a_finalizer_loses_is_not_forgotten() -> None:
    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    with errors.terminable():
        errors.end_if_terminated()
        one = Finalized()
        del one
        with pytest.raises(SystemExit) as ended:
            errors.end_if_terminated()
    assert ended.value.code == 143
    errors.end_if_terminated()
