"""What is known of sources is kept between processes, and never stands in the way of what the sources say."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from allometry.code import definition_cache, definitions, fingerprint

TEXT = '''
"""A module."""

import os
from . import other as o
from ..up import thing

try:
    from fast import sum
except ImportError:
    sum = None
A, B = 1, "table.csv"


@measure(name="cv", description="how regular?")
def cv(x: thing.Kind) -> float:
    """Twice."""
    from late import late

    local = x + A
    return late(local, o.deep.name, [os for os in local])
'''


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    fingerprint.forget()
    yield tmp_path / "caches"
    fingerprint.forget()


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be parsed."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr(ast, "parse", refuse)


def saved() -> None:
    """End of a process, and begin of the next."""
    definition_cache._store().save()
    fingerprint.forget()


def everything(path: Path) -> list[object]:
    found = definitions.read(path)
    told = [
        (name, one.text, one.uses, one.words, one.record_names, one.inner_imports)
        for name, all_of_it in found.named.items()
        for one in all_of_it
    ]
    return [found.imports, told, [one.text for one in found.effects]]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.py"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_what_is_read_is_what_stands_there(source: Path) -> None:
    found = definitions.read(source)
    assert [(one.module, one.level, one.names) for one in found.imports] == [
        ("", 0, (("os", ""),)),
        ("", 1, (("other", "o"),)),
        ("up", 2, (("thing", ""),)),
        ("fast", 0, (("sum", ""),)),
    ]
    assert set(found.named) == {"A", "B", "sum", "cv"}
    (cv,) = found.named["cv"]
    assert cv.uses == {("measure",), ("thing", "Kind"), ("float",), ("A",), ("late",), ("o", "deep", "name")}
    assert cv.words == {"cv"}
    assert cv.record_names == {"cv"}
    assert [one.names for one in cv.inner_imports] == [(("late", ""),)]
    assert "Twice" not in cv.text
    assert "how regular" not in cv.text
    assert found.effects == found.named["sum"]


def test_a_second_process_reads_nothing_again(source: Path, request: pytest.FixtureRequest) -> None:
    before = everything(source)
    saved()
    request.getfixturevalue("unread")
    assert everything(source) == before


def test_what_was_not_asked_for_is_found_out_later(source: Path) -> None:
    expected = everything(source)
    fingerprint.forget()
    # imports and names alone
    assert "A" in definitions.read(source).named
    saved()
    assert everything(source) == expected


def test_another_text_is_read(source: Path) -> None:
    (before,) = definitions.read(source).named["A"]
    assert "1" in before.text
    saved()
    source.write_text(TEXT.replace("A, B = 1", "A, B = 2"), encoding="utf-8")
    (after,) = definitions.read(source).named["A"]
    assert after.text == before.text.replace("1", "2")


@pytest.mark.parametrize("damage", ["", "[]", "{", "null", '{"x": 1}'])
def test_a_damaged_file_is_read_past_and_replaced(source: Path, damage: str) -> None:
    before = everything(source)
    saved()
    place = definition_cache.place()
    assert place is not None
    place.write_text(damage)
    assert everything(source) == before
    saved()
    assert len(json.loads(place.read_bytes())) >= 1
    assert everything(source) == before


def test_a_folder_that_cannot_be_written_is_no_obstacle(source: Path, caches: Path) -> None:
    caches.write_text("a file where a folder should be")
    before = everything(source)
    saved()
    assert everything(source) == before
    assert caches.read_text() == "a file where a folder should be"


def test_only_so_much_is_kept_and_what_is_used_first(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definition_cache, "MOST", 3)
    for number in range(4):
        (tmp_path / f"{number}.py").write_text(f"A = {number}\n")
        everything(tmp_path / f"{number}.py")
        saved()
    everything(source)
    saved()
    place = definition_cache.place()
    assert place is not None
    kept = json.loads(place.read_bytes())
    assert len(kept) == 3
    assert any(entry["outline"][0] for entry in kept.values())  # that of `source`, which imports


def test_files_of_other_versions_go_when_nobody_uses_them(source: Path, caches: Path) -> None:
    everything(source)
    saved()
    names = {"definitions-0123.json": 40, "definitions-4567.json": 1, "mine.json": 400}
    for name, days in names.items():
        (caches / "allometry" / name).write_text("{}")
        os.utime(caches / "allometry" / name, (1e9, definition_cache.time.time() - 86400 * days))
    source.write_text("A = 1\n")
    everything(source)
    saved()
    place = definition_cache.place()
    assert place is not None
    assert {path.name for path in place.parent.iterdir()} == {place.name, "definitions-4567.json", "mine.json"}


def test_a_process_keeps_what_it_found_when_it_ends(caches: Path, root: Path) -> None:
    code = (
        "from allometry.code import fingerprint, definition_cache\n"
        "print(fingerprint.fingerprint('allometry.stores.schema'), definition_cache._store().changed)\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert [changed for _, changed in said] == ["True", "False"]
    assert said[0][0] == said[1][0] == fingerprint.fingerprint("allometry.stores.schema")
