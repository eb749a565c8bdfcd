"""What `inspect` says of files that are wrong, huge, in archives, or of a plugin; and the command itself."""

import os
import pickle
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from allometry import cli, config, plugins
from allometry.errors import AllometryError, PluginError
from allometry.homogenize.inspection import configuration
from allometry.homogenize.inspection.containers import peek
from allometry.homogenize.inspection.examine import examine
from tests.homogenize.fixtures import measured

TERABYTE = 10**12


def zip_cut(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "pre,post\n" * 1000)
    path.write_bytes(path.read_bytes()[:60])


BAD = {
    "empty file": ("a.csv", lambda path: path.write_bytes(b""), "the file is empty"),
    "unknown binary": ("a.dat", lambda path: path.write_bytes(bytes(range(256)) * 8), "in no container that is known"),
    "zeros": ("a.bin", lambda path: path.write_bytes(bytes(4096)), "in no container that is known"),
    "broken archive": ("a.zip", zip_cut, "the file is broken"),
    "broken HDF5": ("a.h5", lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)), "the file is broken"),
    "broken MATLAB": (
        "a.mat",
        lambda path: path.write_bytes(b"MATLAB 5.0 MAT-file" + bytes(109) + b"\x01" * 80),
        "MATLAB",
    ),
    "broken NPY": ("a.npy", lambda path: path.write_bytes(b"\x93NUMPY\x01\x00\xff\xff"), "the file is broken"),
    "broken Parquet": ("a.parquet", lambda path: path.write_bytes(b"PAR1" + bytes(40)), "the file is broken"),
    "git-LFS pointer": (
        "a.h5",
        lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
        "git-LFS pointer",
    ),
    "web page": ("a.csv", lambda path: path.write_text("<!DOCTYPE html><html>"), "web page"),
    "prose": (
        "a.txt",
        lambda path: path.write_text("Dear all,\nplease find\nthe data, attached.\n"),
        "no reader knows",
    ),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_bad_input_is_one_clear_message(case: str, tmp_path: Path) -> None:
    name, write, said = BAD[case]
    write(tmp_path / name)
    with pytest.raises(AllometryError, match=said) as caught:
        examine([tmp_path / name])
    assert str(tmp_path / name) in str(caught.value)


def test_places_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(AllometryError, match="no such file or folder"):
        examine([tmp_path / "none"])
    with pytest.raises(AllometryError, match="the folder is empty"):
        examine([tmp_path])
    (tmp_path / "notes.md").write_text("Nothing here.\n")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(AllometryError, match="no reader knows any of these 2 files") as caught:
        examine([tmp_path])
    assert "empty.csv: the file is empty" in caught.value.what


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as root, whom no file refuses."""
    path = tmp_path / "secret.csv"
    path.write_text("a,b\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AllometryError, match="it may not be read"):
        examine([path])


def test_what_is_wrong_with_one_file_does_not_hide_the_others(tmp_path: Path) -> None:
    measured.write_lanza2024(tmp_path)
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04" + bytes(10))
    found = examine([tmp_path])
    assert [finding.reader for finding in found.findings] == ["lanza2024"]
    assert "the file is broken" in found.left[tmp_path / "broken.zip"]


def sparse_text(path: Path) -> None:
    path.write_text("time,AVAL,AVAR,RIML,VB02\n" + "".join(f"{i / 4},0.1,0.2,0.3,{i}\n" for i in range(9000)))
    os.truncate(path, TERABYTE)


def sparse_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("traces", (10**9, 250), "f4", chunks=(10**6, 250))
        file.create_dataset("time", (10**9,), "f8", chunks=(10**6,))
        file["names"] = [f"cell{i}" for i in range(250)]
    os.truncate(path, TERABYTE)


def sparse_npz(path: Path) -> None:
    """A .npz whose arrays say that they hold a terabyte: the rest of the file is a hole."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**9, 250)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
    os.truncate(path, TERABYTE)


@pytest.mark.parametrize(("name", "write"), [("a.csv", sparse_text), ("a.h5", sparse_hdf5), ("a.npy", sparse_npz)])
def test_a_file_of_a_terabyte_is_looked_at_without_being_read(
    name: str, write: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    try:
        write(path)  # type: ignore[operator]
    except OSError:
        pytest.skip("the file system has no sparse files of this size")
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the file is read whole"))
    if name.endswith(".npy"):
        assert peek(path).arrays["a"].shape == (10**9, 250)
        return
    found = examine([path])
    assert [finding.reader for finding in found.findings] == ["generic"]
    assert not found.tried
    assert "1 TB: looked at only, not read" in " ".join(found.findings[0].facts)
    if name.endswith(".h5"):
        assert "traces 1000000000 x 250" in found.findings[0].facts
        assert found.findings[0].stores == {"": ("activity", {"traces": "traces", "labels": "names"})}
    else:
        assert found.findings[0].species == "Caenorhabditis elegans"


def test_members_of_archives_are_listed_and_nothing_is_extracted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tarfile.TarFile, "extractall", lambda *_, **__: pytest.fail("extracted"))
    monkeypatch.setattr(zipfile.ZipFile, "extractall", lambda *_, **__: pytest.fail("extracted"))
    text = tmp_path / "x.csv"
    text.write_text("a,b\n1,2\n")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(text, "../../evil.csv")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(text, "../evil.csv")
    assert peek(tmp_path / "a.zip").members == ("../../evil.csv",)
    assert peek(tmp_path / "a.tar.gz").sheets == {"../evil.csv": (("a", "b"), ("1", "2"))}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "a.zip", "x.csv"]


def test_a_pickle_in_an_array_is_never_loaded(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    np.save(tmp_path / "a.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    (tmp_path / "b.pkl").write_bytes(pickle.dumps(Evil()))
    for name in ("a.npy", "b.pkl"):
        with pytest.raises(AllometryError, match="pickled Python objects, which are never loaded"):
            examine([tmp_path / name])
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "my_lab.py"
    path.write_text(
        "from allometry.homogenize.look import one_store\n"
        "from allometry.homogenize.reader import reader\n"
        "def own(files):\n"
        "    if files.named('*.broken'):\n"
        "        raise KeyError('x')\n"
        "    return one_store('a recording of my laboratory', files.named('*.mylab'), 'activity', {'channel': 'red'})\n"
        "@reader(kinds=('activity',), options={}, recognise=own)\n"
        "def my_lab_reader(files, source, options):\n"
        "    ...\n"
    )
    yield path
    plugins.forget()
    sys.modules.pop("my_lab", None)


def test_a_reader_of_a_plugin_says_what_is_its_own(plugin: Path, tmp_path: Path) -> None:
    plugins.use([plugin.name], [tmp_path])
    (tmp_path / "a.mylab").write_bytes(b"\x00\x01\x02")
    found = examine([tmp_path / "a.mylab"], read=False)
    made = configuration.configuration(found)["datasets"]["my_a"]
    assert made["reader"] == "my_lab_reader"
    assert made["stores"] == {"my_a": {"kind": "activity", "options": {"channel": "red"}}}
    (tmp_path / "a.broken").write_bytes(b"\x00")
    with pytest.raises(PluginError, match="my_lab_reader"):
        examine([tmp_path / "a.broken"])


def test_the_command_prints_or_writes_the_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixture = measured.write_generic(tmp_path)
    table = str(fixture.files["worm_1.csv"])
    assert cli.main(["inspect", table, "--name", "mine"]) == 0
    printed = capsys.readouterr().out
    assert "traces in a file of text" in printed
    assert "1 recordings" in printed
    assert cli.main(["inspect", table, "--name", "mine", "--write", str(tmp_path / "my.yaml")]) == 0
    written = (tmp_path / "my.yaml").read_text()
    assert written in printed
    assert config.validate(yaml.safe_load(written)).homogenize.activity == ["mine"]
    assert cli.main(["inspect", table, "--write", str(tmp_path / "my.yaml")]) == 1
    assert "the file is there already" in capsys.readouterr().err
    assert cli.main(["inspect", str(tmp_path / "none")]) == 1
    with pytest.raises(SystemExit):
        cli.main(["inspect", table, "--name", "No Name"])


def test_the_same_names_are_not_given_twice(tmp_path: Path) -> None:
    registry = {"my_dataset2": {"stores": {"my_dataset2": {}}, "files": []}}
    measured.write_lanza2024(tmp_path)
    found = examine([tmp_path / "Dataset2.mat"], read=False)
    assert list(configuration.configuration(found, registry)["datasets"]) == ["my_dataset2_2"]
