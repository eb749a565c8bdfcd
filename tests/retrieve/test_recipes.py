"""Recipes: options fill names and places."""

from typing import Any

import pytest

from allometry.errors import RetrieveError
from allometry.retrieve.recipes import expand


def recipe(options: dict[str, Any], **file: Any) -> dict[str, Any]:
    entry = {"name": "session_{session}.nwb", "each": "session", "places": ["https://a/{session}", "https://b/{asset}"]}
    return {"options": options, "files": [{**entry, **file}]}


def test_each_value_becomes_a_file_with_the_places_it_has() -> None:
    files = expand(recipe({"session": [7, 8], "asset": {7: "x"}}))
    assert files == [
        {"name": "session_7.nwb", "sha256": "learn", "places": ["https://a/7", "https://b/x"]},
        {"name": "session_8.nwb", "sha256": "learn", "places": ["https://a/8"]},
    ]


def test_expanding_twice_changes_nothing() -> None:
    once = expand(recipe({"session": [7, 8], "asset": {"7": "x"}}))
    assert expand({"files": once}) == once
    assert once[0]["places"] == ["https://a/7", "https://b/x"]


def test_places_with_a_checksum_of_their_own_are_filled() -> None:
    source = recipe({"session": [7]}, places=[{"place": "https://a/{session}", "sha256": "learn"}])
    assert expand(source)[0]["places"] == [{"place": "https://a/7", "sha256": "learn"}]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (recipe({}), "each: session"),
        (recipe({"session": []}), "each: session"),
        (recipe({"session": 7}), "each: session"),
        (recipe({"session": [7]}, name="{animal}.nwb"), "file name"),
        (recipe({"session": [7]}, places=["https://b/{asset}"]), "no place"),
        (recipe({"session": [7, 8]}, name="same.nwb"), "same name"),
        (recipe({"session": ["../../x"]}), "invalid name"),
        (recipe({"session": [7]}, places=["https://a/{session"]), "brace"),
        (recipe({"session": [7]}, places=["https://a/{session.__class__}"]), "no place"),
    ],
)
def test_refused(source: dict[str, Any], message: str) -> None:
    with pytest.raises(RetrieveError, match=message):
        expand(source)
