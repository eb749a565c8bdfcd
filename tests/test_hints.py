"""The nearest valid name, and what is said where there is none."""

import pytest

from allometry.hints import hint, nearest


@pytest.mark.parametrize(
    ("name", "said"),
    [("crosnobis", "perhaps 'crossnobis' is meant"), ("xyz", "correct the name"), ("", "correct the name")],
)
def test_a_hint_names_what_resembles(name: str, said: str) -> None:
    assert hint(name, ["cka", "crossnobis"]) == said


def test_the_only_valid_name_is_meant() -> None:
    assert hint("xyz", {"cka": 1}) == "perhaps 'cka' is meant"
    assert hint("xyz", []) == "correct the name"


def test_several_come_nearest_first() -> None:
    assert nearest("cv", ["lv", "cv2", "rate"], n=2) == ["cv2", "lv"]
