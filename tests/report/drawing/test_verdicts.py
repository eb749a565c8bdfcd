"""Verdicts in words: for captions, badges and tables; nothing where nothing was judged."""

import numpy as np
import pandas as pd

from allometry.compare.card import worth
from allometry.compare.registry import find
from allometry.report.drawing import verdicts

WORSE = {
    "measure": "influence_auc", "role": "result", "verdict": "worse", "baseline": "path_length",
    "difference": -0.0723, "difference_low": -0.0876, "difference_high": -0.054,
}  # fmt: skip


def test_a_result_below_its_baseline_says_so() -> None:
    assert verdicts.sentence(WORSE) == "worse than path length, −0.072 (−0.088 to −0.054)"
    assert verdicts.badge("worse") == '<span class="verdict worse">▼ worse</span>'
    assert verdicts.badge("worse", "worse than <x>") == '<span class="verdict worse">▼ worse than &lt;x&gt;</span>'
    assert verdicts.badge("") == verdicts.sentence({"verdict": ""}) == ""


def test_without_an_interval_that_is_said() -> None:
    row = {**WORSE, "verdict": "undecided", "difference_low": np.nan, "difference_high": None}
    assert verdicts.sentence(row) == "undecided against path length, −0.072 (no interval)"


def test_captions_count_results_by_measure() -> None:
    rows = pd.DataFrame(
        [WORSE, WORSE, {**WORSE, "verdict": "better", "baseline": "degree"}, {**WORSE, "role": "control"}]
    )
    assert verdicts.summary(rows) == (
        "Verdicts beside the strongest baseline of each result: influence auc: 1 better (than degree), 2 worse (than path length)."
    )
    assert verdicts.summary(rows.assign(verdict="")) == ""
    assert verdicts.summary(rows.drop(columns="verdict")) == ""


def test_what_only_describes_is_more_or_less_and_not_good_or_bad() -> None:
    row = {"verdict": "better", "baseline": "shuffled_trials"}
    assert worth(row, find("noise_correlation")) == "more than shuffled trials"
    assert worth(row, find("participation_ratio")) == "less than shuffled trials"
    assert worth({**row, "verdict": "no better"}, find("noise_correlation")) == "no more than shuffled trials"
    assert worth(row, find("decoding_within")) == "better than shuffled trials"
