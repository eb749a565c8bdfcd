"""Oracle: names whose meaning is stated in the field's literature and in SOURCES.md."""

import numpy as np
import pytest

from allometry.errors import ReaderError
from allometry.homogenize.traces import labels

NAMES = """AVAL AVAR AWCL AWCR RMED RMEV RMEL RMER RID VB1 VB2 VB10 VB11 AS1 AS10 RMDDL RMDDR RMDL RMDR RMDVL RMDVR
I1L I1R IL1DL IL1DR IL1L IL1R IL1VL IL1VR AIYL AIYR SIBVL SIBVR M1 RIML RIMR"""
NEURONS = sorted(NAMES.split())


@pytest.mark.parametrize(
    ("raw", "status", "candidates"),
    [
        ("AVAL", "named", "AVAL"),
        (" avar ", "named", "AVAR"),
        (b"AVAL\x00", "named", "AVAL"),
        ("VB02", "named", "VB2"),
        ("VB10", "named", "VB10"),
        ("AS10", "named", "AS10"),
        ("AS01", "named", "AS1"),
        ("AWC?", "ambiguous", "AWCL AWCR"),
        ("AWCON", "ambiguous", "AWCL AWCR"),
        ("AVA", "ambiguous", "AVAL AVAR"),
        ("AVAL?", "ambiguous", "AVAL"),
        ("RMED/V", "ambiguous", "RMED RMEV"),
        ("RMEL/R", "ambiguous", "RMEL RMER"),
        ("RMED/RID", "ambiguous", "RMED RID"),
        ("RMDD?", "ambiguous", "RMDDL RMDDR"),
        ("SIBV?", "ambiguous", "SIBVL SIBVR"),
        ("VB1/2", "ambiguous", "VB1 VB2"),
        ("IL1?", "ambiguous", "IL1L IL1R IL1DL IL1DR IL1VL IL1VR"),
        ("", "unidentified", ""),
        (None, "unidentified", ""),
        (float("nan"), "unidentified", ""),
        (37.0, "unidentified", ""),
        ("112", "unidentified", ""),
        ("?", "unidentified", ""),
        (np.array([], dtype="U1"), "unidentified", ""),
        (np.array(["AVAL"]), "named", "AVAL"),
        (np.array(list("AVAL")), "named", "AVAL"),
        ("XYZ9", "unknown", ""),
        ("glia", "unknown", ""),
    ],
)
def test_parse(raw, status, candidates):
    found = labels.parse(raw, NEURONS)
    assert (found.status, " ".join(found.candidates)) == (status, candidates)


def test_strict_keeps_ambiguous_labels_ambiguous():
    out = labels.assign(["AVAL", "AWC?", "RMED/V", "3", "XX"], NEURONS)
    assert out.label == ["AVAL", "", "", "", ""]
    assert out.candidates == ["", "AWCL/AWCR", "RMED/RMEV", "", ""]
    assert out.raw[1] == "AWC?"
    assert out.notes["ambiguous_labels"]["labels"] == ["AWC?", "RMED/V"]
    assert out.notes["unknown_labels"] == ["XX"]


def test_nearest_takes_the_first_free_name_after_the_certain_ones():
    out = labels.assign(["AWC?", "AWCL", "AWC?", "AWC?"], NEURONS, policy="nearest")
    assert out.label == ["AWCR", "AWCL", "", ""]
    assert out.notes["ambiguous_labels"]["labels"][0] == "AWC? -> AWCR"


def test_drop_leaves_the_roi_unlabelled_and_says_so():
    out = labels.assign(["AWC?", "AVAL"], NEURONS, policy="drop")
    assert (out.label, out.candidates) == (["", "AVAL"], ["", ""])
    assert "left unlabelled" in out.notes["ambiguous_labels"]["policy"]


def test_duplicates_are_detected_and_confidence_decides():
    tie = labels.assign(["AVAL", "AVAL", "RID"], NEURONS)
    assert tie.label == ["", "", "RID"]
    assert "indices 0, 1" in tie.notes["duplicate_labels"]["AVAL"]
    assert labels.assign(["AVAL", "AVAL"], NEURONS, confidence=[2, 4]).label == ["", "AVAL"]
    assert labels.assign(["AVAL", "AVAL"], NEURONS, confidence=[3, 3]).label == ["", ""]
    assert labels.assign(["AVAL", "AVAL"], NEURONS, policy="nearest").label == ["AVAL", ""]
    assert labels.assign(["VB02", "VB2"], NEURONS).label == ["", ""]


def test_renaming_is_recorded():
    assert labels.assign(["VB02"], NEURONS).notes["renamed_labels"] == ["VB02 -> VB2"]


def test_unknown_policy_is_an_error():
    with pytest.raises(ReaderError):
        labels.assign(["AVAL"], NEURONS, policy="guess")  # type: ignore[arg-type]


def test_a_confidence_that_is_missing_is_below_every_other() -> None:
    label = ["AVAL", "AVAL", "AVAR"]
    done = labels._resolve_duplicates(label, [np.nan, 0.0, np.nan], keep_first=False)
    assert label == ["", "AVAL", "AVAR"]
    assert "the most confident was kept" in str(done)
