"""Every kind of damage is found; Snakemake's own mark is none."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from allometry import stores
from allometry.errors import StoreError
from allometry.stores.storage import manifest
from allometry.stores.storage.file_manifest import verify_files

from .. import samples


@pytest.fixture
def path(tmp_path):
    return stores.write(samples.activity(), tmp_path / "worms.zarr", provenance={"config": {"rate": 2}})


def rewrite(store, change):
    file = manifest.manifest_path(store)
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def test_an_intact_store_has_no_problem(path):
    assert stores.verify(path) == []
    (path / ".snakemake_timestamp").touch()
    assert stores.verify(path) == []
    stores.open(path)


def test_the_manifest_lists_every_object_as_sha256sum_does(path):
    described = stores.read_manifest(path)
    listed = described["content"]["objects"]
    files = sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
    assert sorted(listed) == files
    lines = ""
    for name in files:
        digest = hashlib.sha256((path / name).read_bytes()).hexdigest()
        assert listed[name] == {"sha256": digest, "size": (path / name).stat().st_size}
        lines += f"{digest}  {name}\n"
    assert described["content"]["content_sha256"] == hashlib.sha256(lines.encode()).hexdigest()


def test_provenance_says_who_when_and_with_what(path):
    provenance = stores.read_manifest(path)["provenance"]
    assert provenance["config"] == {"rate": 2}
    assert {"allometry", "numpy", "xarray", "zarr"} <= set(provenance["packages"])
    assert "pytest" not in provenance["packages"]  # what only the tests need says nothing about a store
    assert provenance["times"]["started"] <= provenance["times"]["finished"]
    assert provenance["host"]
    assert "git" in provenance


@pytest.mark.parametrize("name", ["zarr.json", "trace/zarr.json", "trace/c/0/0", "native/worm_1/label/c/0"])
def test_a_flipped_byte_is_found_in_every_kind_of_object(path, name):
    file = path / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert stores.verify(path) == [f"{path}: {name}: content differs from the manifest"]
    with pytest.raises(StoreError, match="content differs"):
        stores.open(path, check="full")


@pytest.mark.parametrize("check", ["list", "full"])
def test_missing_extra_and_truncated_objects_are_found_on_opening(path, check):
    original = path.with_name("original")
    shutil.copytree(path, original)
    for damage, words in (
        (lambda: (path / "trace/c/0/0").unlink(), "trace/c/0/0: is missing"),
        (lambda: (path / "trace/c/0/1").write_bytes(b"x"), "trace/c/0/1: is not in the manifest"),
        (lambda: (path / "trace/c/0/0").write_bytes(b"x"), "trace/c/0/0: has 1 bytes, expected"),
        (lambda: shutil.rmtree(path / "native/worm_2"), "native/worm_2/trace/zarr.json: is missing"),
    ):
        damage()
        assert any(words in problem for problem in stores.verify(path))
        with pytest.raises(StoreError, match="the store is damaged"):
            stores.open(path, check=check)
        shutil.rmtree(path)
        shutil.copytree(original, path)
        assert stores.verify(path) == []


def test_a_manifest_that_was_edited_is_found(path):
    name = "trace/c/0/0"
    data = (path / name).read_bytes() + b"more"
    (path / name).write_bytes(data)
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    rewrite(path, lambda content: content["content"]["objects"].update({name: entry}))
    assert stores.verify(path) == [f"{path}: manifest: content_sha256 does not fit its own list"]


def test_a_store_without_a_readable_manifest_is_a_problem(path):
    file = manifest.manifest_path(path)
    for broken in ("{", "[]", '{"content": {}}', '{"content": {"objects": {"a": 1}, "content_sha256": ""}}'):
        file.write_text(broken)
        assert "manifest cannot be read" in stores.verify(path)[0]
    file.unlink()
    assert stores.verify(path) == [f"{path}: the store has no manifest"]
    with pytest.raises(StoreError, match="no manifest"):
        stores.open(path)
    stores.open(path, check="none")
    shutil.rmtree(path)
    assert stores.verify(path) == [f"{path}: is missing"]


def test_opening_what_is_no_store_says_so(tmp_path, path):
    with pytest.raises(StoreError, match="there is no store"):
        stores.open(tmp_path / "none.zarr")
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(StoreError, match="not a Zarr v3 store"):
        stores.open(tmp_path / "empty.zarr")
    root = json.loads((path / "zarr.json").read_text())
    root["attributes"]["schema_version"] = 99
    (path / "zarr.json").write_text(json.dumps(root))
    with pytest.raises(StoreError, match="version 99"):
        stores.open(path, check="none")


def test_diff_names_what_differs(tmp_path):
    first = samples.connectome()
    second = first.copy(deep=True).assign_attrs(title="Another")
    stores.set_attributes(second, parameters={"threshold": 0.6})
    second["weight"][0] += 2
    second["new"] = ("node", [1, 2, 3])
    a, b = (stores.write(obj, tmp_path / f"{name}.zarr") for obj, name in ((first, "a"), (second, "b")))
    assert stores.diff(a, b) == [
        "attribute.parameters.threshold: 0.5 in A, 0.6 in B",
        "attribute.title: 'A sample' in A, 'Another' in B",
        "new: only in B",
        "weight: 1 of 7 values differ, by at most 2",
    ]
    c = stores.write(first, tmp_path / "c.zarr", compression="hot")
    assert stores.diff(a, c) == [
        "the values are the same, the files are not (other chunks, compression or library version)"
    ]
    assert stores.diff(a, a) == []
    d = stores.write(first.isel(edge=[0, 1]), tmp_path / "d.zarr")
    assert "weight: {'edge': 7} in A, {'edge': 2} in B" in stores.diff(a, d)
    e = stores.write(samples.activity(), tmp_path / "e.zarr")
    assert "/native/worm_1: only in B" in stores.diff(a, e)


def test_small_differences_of_floating_values_can_be_passed_over(tmp_path):
    first = samples.connectome()
    second = first.copy(deep=True)
    stores.set_attributes(second, parameters={"threshold": 0.5 * (1 + 1e-7)})
    second["weight"] = second["weight"] * (1 + 3e-7)
    a, b = (stores.write(obj, tmp_path / f"{name}.zarr") for obj, name in ((first, "a"), (second, "b")))
    assert len(stores.diff(a, b)) == 2
    assert stores.diff(a, b, rtol=4e-7) == []
    assert [line.split(":")[0] for line in stores.diff(a, b, rtol=2e-7)] == ["weight"]
    largest = float(np.abs(first["weight"] - second["weight"]).max())
    assert [line.split(":")[0] for line in stores.diff(a, b, atol=largest / 2, rtol=2e-7)] == ["weight"]
    assert stores.diff(a, b, atol=1.01 * largest) == []
    # whole numbers, text, and what is missing are never near
    second["occurrences"] = second["occurrences"] + 1
    second["x"] = ("node", [1.0, 2.0, 3.0], first["x"].attrs)
    c = stores.write(second, tmp_path / "c.zarr")
    assert [line.split(":")[0] for line in stores.diff(a, c, rtol=1e9, atol=1e9)] == ["occurrences", "x"]
    with pytest.raises(StoreError, match="rtol and atol of at least 0"):
        stores.diff(a, b, rtol=-1)


def test_provenance_that_is_no_json_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(StoreError, match="provenance cannot be written"):
        stores.write(samples.connectome(), tmp_path / "a.zarr", provenance={"x": float("nan")})
    assert list(tmp_path.iterdir()) == []
    stores.write(samples.connectome(), tmp_path / "a.zarr", provenance={"path": tmp_path})
    assert stores.read_manifest(tmp_path / "a.zarr")["provenance"]["path"] == str(tmp_path)


def test_what_file_managers_leave_in_a_store_is_no_damage(path):
    """Issue 11.19."""
    for name in (".DS_Store", "trace/.DS_Store", "Thumbs.db", "trace/desktop.ini", "._trace", ".nfs00a1", ".directory"):
        (path / name).write_bytes(b"x")
    assert stores.verify(path) == []
    stores.open(path, check="full")
    (path / "DS_Store").touch()
    assert stores.verify(path) == [f"{path}: DS_Store: is not in the manifest"]


def test_links_in_a_store_are_followed_to_files_only(path, tmp_path):
    """Issue 11.21: dangling links raised, and links to folders were not seen."""
    chunk = path / "trace/c/0/0"
    chunk.rename(tmp_path / "kept")
    chunk.symlink_to(tmp_path / "kept")
    assert stores.verify(path) == []  # as git-annex keeps large files
    (tmp_path / "kept").rename(tmp_path / "elsewhere")
    assert stores.verify(path) == [f"{path}: trace/c/0/0: is a link that leads to no file"]
    with pytest.raises(StoreError, match="leads to no file"):
        stores.open(path)
    chunk.unlink()
    shutil.move(tmp_path / "elsewhere", chunk)
    (path / "extra").symlink_to(tmp_path)
    assert stores.verify(path) == [f"{path}: extra: is not in the manifest"]
    (path / "extra").unlink()
    (path / "trace").rename(tmp_path / "trace")
    (path / "trace").symlink_to(tmp_path / "trace")
    assert f"{path}: trace: is not in the manifest" in stores.verify(path)


def test_a_file_in_place_of_a_store_is_no_store(path):
    shutil.rmtree(path)
    path.write_text("x")
    assert stores.verify(path) == [f"{path}: is no folder"]
    with pytest.raises(StoreError, match="not a Zarr v3 store"):
        stores.open(path)


def test_two_stores_that_changed_places_are_found(path, tmp_path):
    other = stores.write(samples.activity(), tmp_path / "other.zarr")
    for a, b in ((path, other), (manifest.manifest_path(path), manifest.manifest_path(other))):
        a.rename(tmp_path / "between")
        b.rename(a)
        (tmp_path / "between").rename(b)
    assert stores.verify(path) == [f"{path}: its manifest is that of other.zarr"]
    assert stores.verify(other) == [f"{other}: its manifest is that of worms.zarr"]
    connectome = stores.write(samples.connectome(), tmp_path / "c.zarr")
    connectome.rename(tmp_path / "between")
    other.rename(connectome)
    (tmp_path / "between").rename(other)
    assert any("is missing" in problem for problem in stores.verify(connectome))
    assert any("is missing" in problem for problem in stores.verify(other))


def test_a_file_beside_a_store_is_compared_by_its_content(tmp_path):
    """A mutant that compared sizes survived."""
    card = tmp_path / "a.cards.json"
    path = stores.write(samples.scores(), tmp_path / "a.zarr", beside={card: b"content"})
    assert stores.verify(path) == []
    card.write_bytes(b"cOntent")
    assert stores.verify(path) == [f"{card}: content differs from the manifest"]
    card.unlink()
    assert stores.verify(path) == [f"{card}: is missing"]


@pytest.mark.parametrize("broken", ["[" * 100_000, '{"content": ' * 50_000])
def test_a_manifest_that_is_nested_too_deep_is_said_to_be_unreadable(path, broken):
    manifest.manifest_path(path).write_text(broken)
    assert "manifest cannot be read" in stores.verify(path)[0]
    plain = path.with_name("manifest.json")
    plain.write_text(broken)
    assert "manifest cannot be read" in verify_files(plain)[1][0]
    shutil.rmtree(path)
    with pytest.raises(StoreError, match="would be deleted"):
        stores.write(samples.activity(), path)


def test_a_manifest_names_files_of_its_folder_only(path, tmp_path):
    (tmp_path.parent / "outside").write_text("x")
    outside = {"../outside": {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}}
    rewrite(path, lambda content: content.update(beside=outside))
    assert stores.verify(path) == [f"{tmp_path}/../outside: the manifest names a file outside of its folder"]
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"/etc/passwd": {"sha256": ""}}}))
    assert verify_files(tmp_path / "manifest.json") == (
        1,
        ["/etc/passwd: the manifest names a file outside of its folder"],
    )
    rewrite(path, lambda content: content.update(beside={"x": 1}))
    assert "manifest cannot be read" in stores.verify(path)[0]


def test_scores_whose_sources_are_gone_or_changed_are_found(path, tmp_path):
    (tmp_path / "compared").mkdir()
    read = manifest.sources_read({"worms": path}, tmp_path / "compared" / "s.zarr")
    scores = stores.write(samples.scores(), tmp_path / "compared" / "s.zarr", provenance=read)
    assert stores.verify(scores) == []
    # the whole tree may move
    (tmp_path / "moved").mkdir()
    for entry in ("worms.zarr", "compared"):
        shutil.copytree(tmp_path / entry, tmp_path / "moved" / entry)
    shutil.copy(tmp_path / "worms.manifest.json", tmp_path / "moved")
    shutil.rmtree(path)
    moved = tmp_path / "moved"
    assert stores.verify(moved / "compared" / "s.zarr") == []
    assert stores.verify(scores) == [f"{scores}: its source worms is gone ({path})"]
    again = samples.activity()
    again.attrs["title"] = "Another"
    stores.write(again, moved / "worms.zarr", overwrite=True)
    assert stores.verify(moved / "compared" / "s.zarr") == [
        f"{moved / 'compared' / 's.zarr'}: its source worms has changed since ({moved / 'worms.zarr'})"
    ]
    manifest.manifest_path(moved / "worms.zarr").unlink()
    assert "its source worms is gone" in stores.verify(moved / "compared" / "s.zarr")[0]
