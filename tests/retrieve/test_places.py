"""Places: every documented form is understood, and no path leads out of its root."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allometry.errors import RetrieveError
from allometry.retrieve.places import check_file_name, check_sha256, parse_place


def test_pypi_place_has_requirement_and_member() -> None:
    place = parse_place("pypi:cect==0.3.5!cect/data/SI 5 Connectome adjacency matrices, corrected July 2020.xlsx")
    assert (place.kind, place.package, place.version) == ("pypi", "cect", "0.3.5")
    assert place.value == "cect/data/SI 5 Connectome adjacency matrices, corrected July 2020.xlsx"


@pytest.mark.parametrize(
    ("text", "kind", "value", "is_local"),
    [
        ("mirror:a/b c.csv", "mirror", "a/b c.csv", True),
        ("file:/data/w.h5", "file", "/data/w.h5", True),
        ("file:../w.h5", "file", "../w.h5", True),
        ("https://host/a?b=c:d", "https", "https://host/a?b=c:d", False),
    ],
)
def test_other_forms(text: str, kind: str, value: str, is_local: bool) -> None:
    place = parse_place(text)
    assert (place.kind, place.value, place.is_local) == (kind, value, is_local)


def test_a_place_may_carry_its_own_checksum() -> None:
    assert parse_place({"place": "https://host/a", "sha256": "learn"}).sha256 == "learn"


@pytest.mark.parametrize(
    "text",
    [
        "mirror:/etc/passwd",
        "mirror:../x",
        "mirror:a/../../x",
        "mirror:a//b",
        "mirror:",
        "mirror:C:/x",
        "mirror:a\\..\\b",
        "pypi:cect==0.3.5!/etc/passwd",
        "pypi:cect==0.3.5!cect/../../x",
        "pypi:cect!member",
        "pypi:cect==0.3.5",
        "pypi:--index-url==1!x",
        "ftp://host/file",
        "just a path",
        "",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(RetrieveError):
        parse_place(text)


@given(st.lists(st.sampled_from(["..", ".", "a", "", "/", "\\", "C:", "b.csv", "\0"]), max_size=6).map("/".join))
def test_no_accepted_path_leaves_its_root(path: str) -> None:
    for prefix in ("mirror:", "pypi:p==1!"):
        try:
            value = parse_place(prefix + path).value
        except RetrieveError:
            continue
        joined = posixpath.normpath(posixpath.join("/anchor", value))
        assert joined.startswith("/anchor/")
        assert "\\" not in value


@pytest.mark.parametrize("name", ["../x", "a/b", "/x", "", ".hidden", "..", "a\\b", "manifest.json", "C:x"])
def test_file_names_stay_in_their_folder(name: str) -> None:
    with pytest.raises(RetrieveError):
        check_file_name(name)


@pytest.mark.parametrize("value", ["", "abc", "g" * 64, "A" * 64, "a" * 63, "a" * 65])
def test_malformed_checksums(value: str) -> None:
    with pytest.raises(RetrieveError):
        check_sha256(value)
