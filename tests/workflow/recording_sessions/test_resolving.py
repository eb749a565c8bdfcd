"""Sessions are asked for once, and fixed in a lock file."""

from pathlib import Path
from typing import Any

import pytest

from allometry.errors import ConfigError
from allometry.retrieve.sessions import lock
from tests.retrieve.sessions.archives import Archives
from tests.workflow.recording_sessions import asking


def test_sessions_are_listed_with_memory_and_disk(
    folder: Path, files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert asking.resolve() == 0
    said = capsys.readouterr().out
    known = lock.read()
    assert [session.name for session in known["gratings"].answer.sessions] == ["501", "503", "505"]
    assert f"{len(files['501']) / 1e6:.1f} MB" in said
    assert "a       VISp  Cux2-CreERT2  three_session_A  175 um" in said
    total = sum(len(files[name]) for name in ("501", "503", "505"))
    assert f"together: {total / 1e6:.1f} MB of files" in said
    assert f"the largest job takes about {(930e6 + 1.5 * len(files['501'])) / 1e9:.2f} GB of memory" in said
    assert "probes: 1 session from 127.0.0.1:" in said


def test_a_second_answer_does_not_change_the_sessions_unless_it_is_asked_for(
    folder: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    asking.resolve()
    archives.two_photon(507, b"new", animal="e")
    before, questions = Path(lock.PATH).read_bytes(), len(archives.questions)
    assert asking.resolve() == 0
    assert Path(lock.PATH).read_bytes() == before
    assert len(archives.questions) == questions
    assert asking.resolve("--again", "--collection", "gratings") == 0
    assert "  new: 507" in capsys.readouterr().out
    assert len(lock.read()["gratings"].answer.sessions) == 4


def test_what_is_not_resolved_names_the_command(folder: Path, archives: Archives, root: Path) -> None:
    values = asking.write(folder, archives)
    with pytest.raises(ConfigError) as error:
        asking.configure(values, root)
    assert "the sessions of the collection gratings, probes are not known yet" in str(error.value)
    assert "run `allometry resolve --configfile allen.yaml`" in str(error.value)
    asking.resolve()
    asking.configure(values, root)
    changed = {**asking.ASKED, "gratings": {**asking.ASKED["gratings"], "most": 2}}
    with pytest.raises(ConfigError, match="the query of the collection gratings is another than"):
        asking.configure(asking.write(folder, archives, collections=changed), root)
    # what is made of the sessions is no part of the question
    less = {**asking.ASKED, "gratings": {**asking.ASKED["gratings"], "stores": {"responses": {"kind": "responses"}}}}
    asking.configure(asking.write(folder, archives, collections=less, homogenize={}), root)


def test_a_collection_that_is_none_and_a_lock_file_that_is_damaged(
    folder: Path, archives: Archives, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asking.resolve("--collection", "gratins") == 1
    assert "perhaps 'gratings' is meant" in capsys.readouterr().err
    lock.PATH.parent.mkdir()
    lock.PATH.write_text("gratings: 3")
    with pytest.raises(ConfigError, match="the lock file of sessions cannot be read"):
        asking.configure(asking.write(folder, archives), root)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gratings": {**asking.ASKED["gratings"], "area": ["VISpp"]}}, "perhaps 'VISp' is meant"),
        ({"gratings": {**asking.ASKED["gratings"], "session": [1]}}, "the archive has no session 1"),
        ({"probes": {**asking.ASKED["probes"], "session": ["7"]}}, "the dandiset has no session 7"),
    ],
)
def test_a_failed_question_leaves_the_lock_file_as_it_was(
    folder: Path, archives: Archives, change: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asking.write(folder, archives, collections=change)
    assert asking.resolve() == 1
    assert words in capsys.readouterr().err
    assert not lock.PATH.exists()


def test_offline_nothing_is_asked(folder: Path, archives: Archives, capsys: pytest.CaptureFixture[str]) -> None:
    asking.write(folder, archives, retrieve={"offline": True})
    assert asking.resolve() == 1
    assert "the configuration says offline" in capsys.readouterr().err
    assert not archives.questions
