"""Tables of a study of many conditions: a row per statistic and scheme on the page, all rows in its files."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import report, stores
from allometry.report.excerpt import Excerpt
from allometry.report.scaling import laws, tables
from tests.stores.samples import ATTRS

SCHEMES = ["plain", "halved", "calibrated"]
CONDITIONS = [f"c{number}" for number in range(13)]
STATISTICS = ["rate", "gamma_correlation"]
POPULATIONS = ["E", "I", "all"]
AXES: dict[str, list[Any]] = {
    "size": [0.5, 1.0],
    "scheme": SCHEMES,
    "seed": [1, 2],
    "condition": CONDITIONS,
    "statistic": STATISTICS,
    "population": POPULATIONS,
}


def _bounded() -> dict[str, np.ndarray]:
    """All is kept within 3 %, but for two conditions of one scheme, and one of another that nobody can tell."""
    shape = tuple(len(values) for axis, values in AXES.items() if axis != "seed")
    deviation, half = np.full(shape, 0.01), np.full(shape, 0.02)
    verdict = np.full(shape, "preserved", object)
    for scheme, condition, statistic, population, value, width, word in (
        # the larger deviation is the less certain one
        ("halved", "c3", "rate", "E", 0.9, 0.7, "changed"),
        ("halved", "c7", "rate", "I", -0.5, 0.1, "changed"),
        ("halved", "c9", "rate", "I", 0.05, 0.2, "undetermined"),
        ("calibrated", "c5", "gamma_correlation", "E", 0.05, np.nan, "undetermined"),
        ("calibrated", "c6", "gamma_correlation", "E", 0.05, 0.9, "undetermined"),
        # all together say nothing that their populations do not say
        ("plain", "c2", "rate", "all", 0.8, 0.1, "changed"),
    ):
        at = (0, SCHEMES.index(scheme), CONDITIONS.index(condition), STATISTICS.index(statistic))
        where = (*at, POPULATIONS.index(population))
        deviation[where], half[where], verdict[where] = value, width, word
    verdict[1] = "reference"
    return {
        "deviation": deviation,
        "deviation_low": deviation - half,
        "deviation_high": deviation + half,
        "verdict": verdict,
    }


def _table(rows: list[dict[str, Any]]) -> xr.Dataset:
    frame = pd.DataFrame(rows)
    return xr.Dataset({name: ("row", frame[name].to_numpy()) for name in frame})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "many.zarr"
    places = [(s, c, k) for s in SCHEMES for c in CONDITIONS for k in STATISTICS]
    said = [
        {
            "scheme_of": scheme, "condition_of": condition, "statistic_of": statistic,
            "kept": f"{statistic} of {scheme} under {condition}",
            "why": f"theory of {scheme}" if (condition, statistic) == ("c0", "rate") else "",
        }
        for scheme, condition, statistic in places
    ]  # fmt: skip
    laws = [
        {
            "scheme_of": scheme, "condition_of": condition, "statistic_of": statistic, "population_of": population,
            **(
                {"law": "power law", "exponent": -1.0, "exponent_low": -1.2, "exponent_high": -0.8}
                if (scheme, condition, statistic, population) == ("halved", "c7", "rate", "I")
                else {"law": "constant", "exponent": np.nan, "exponent_low": np.nan, "exponent_high": np.nan}
            ),
            "reason": "", "sizes": 2, "n": 4,
        }
        for scheme, condition, statistic in places for population in POPULATIONS
    ]  # fmt: skip
    shape = tuple(map(len, AXES.values()))
    found = _bounded()
    mean = 5 * (1 + found["deviation"])
    tree = stores.scaling(
        AXES,
        {
            "unit": ["spikes/s", "1"],
            "neurons": np.broadcast_to([[50], [100]], (2, 3)),
            "synapses": np.broadcast_to([[2500.0], [1e4]], (2, 3)),
            "calibration": np.full((2, 3), ""),
            "residual": np.full((2, 3), np.nan),
            "value": np.broadcast_to(mean[:, :, None], shape),
            "mean": mean,
            "ci_low": mean - 1,
            "ci_high": mean + 1,
            **found,
        },
        {"explanations": _table(said), "laws": _table(laws)},
        attrs={**ATTRS, "model": "brunel", "reference": 1.0, "tolerance": 0.1},
    )
    stores.write(tree, path)
    law = {"name": "power law", "exponent": 1.0, "exponent_low": 0.9, "exponent_high": 1.1, "sizes": 2, "n": 4}
    costs = {
        "values": {scheme: {"memory_gib": {"0.5": [1.0, 1.0], "1": [2.0, 2.0]}} for scheme in SCHEMES},
        "laws": {scheme: {"memory_gib": {**law, "reason": ""}} for scheme in SCHEMES},
        "machines": [],
    }
    path.with_name("many.costs.json").write_text(json.dumps(costs), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(study: Path) -> dict[str, pd.DataFrame | Excerpt]:
    return tables.tables([str(study)])


def _excerpt(made: dict[str, pd.DataFrame | Excerpt], start: str) -> Excerpt:
    (found,) = (table for title, table in made.items() if title.startswith(start))
    assert isinstance(found, Excerpt)
    return found


def test_a_statistic_has_one_row_per_scheme_with_the_condition_in_which_it_is_kept_worst(
    made: dict[str, pd.DataFrame | Excerpt],
) -> None:
    table = _excerpt(made, "Which statistic is kept")
    assert len(table.whole) == 3 * 13 * 2
    assert len(table.shown) == 3 * 2
    rows = table.shown.set_index(["scheme", "statistic"])
    halved = rows.loc["halved", "rate"]
    assert halved["conditions"] == "kept in 10, changed in 2, undetermined in 1"
    assert halved["worst condition"] == "c7"
    assert halved["kept and changed there (95 % intervals)"] == "rate of halved under c7"
    # what is said of another condition names it
    assert halved["why"] == "Under c0: theory of halved"
    unknown = rows.loc["calibrated", "gamma_correlation"]
    assert unknown["conditions"] == "kept in 11, undetermined in 2"
    assert unknown["worst condition"] == "c5"
    assert unknown["why"] == ""
    plain = rows.loc["plain", "rate"]
    assert plain["conditions"] == "kept in 13"
    assert plain["why"] == "theory of plain"


def test_laws_are_counted_and_that_of_the_worst_place_is_shown(made: dict[str, pd.DataFrame | Excerpt]) -> None:
    table = _excerpt(made, "How deviations and costs")
    assert len(table.whole) == 3 * 13 * 2 * 3 + 3
    assert len(table.shown) == 3 * 2 + 3
    rows = table.shown.set_index(["scheme", "of"])
    halved = rows.loc["halved", "rate"]
    assert halved["laws"] == "38 constant, 1 power law"
    assert halved["kept worst in"] == "I, c7"
    assert halved["dependence on N there"] == "N^−1.00 (−1.20 to −0.80)"
    assert rows.loc["plain", "gamma correlation"]["dependence on N there"] == "constant"
    memory = rows.loc["plain", "memory gib"]
    assert (memory["laws"], memory["kept worst in"]) == ("1 power law", "")


def test_the_balance_names_the_certain_change(made: dict[str, pd.DataFrame | Excerpt]) -> None:
    balance = made["What a smaller model loses, and what it gains"]
    assert isinstance(balance, pd.DataFrame)
    half = balance[balance["size"] == 0.5].set_index("scheme")
    assert half["largest change"].to_dict() == {"plain": "none", "halved": "rate of I −50 % (c7)", "calibrated": "none"}
    assert half.loc["halved", ["preserved", "changed", "undetermined"]].tolist() == [13 * 2 * 2 - 3, 2, 1]


def test_the_page_shows_few_rows_and_has_all_as_files(
    study: Path, made: dict[str, pd.DataFrame | Excerpt], tmp_path: Path
) -> None:
    page = tmp_path / "index.html"
    report.write_page(
        page,
        stores=[str(study)],
        images=[],
        configuration={"report": {"title": "Many"}},
        sources={},
        unused={"packages": [], "elsewhere": []},
    )
    text = page.read_text(encoding="utf-8")
    section = text.partition('<section id="scaling">')[2].partition("</section>")[0]
    together = laws.tables([str(study)])
    assert section.count("<tr") == 4 + sum(map(len, (*made.values(), *together.values())))
    links = re.findall(r'<a href="(tables/\w+\.csv)" download>([^<]+)</a>', section)
    assert len({name for name, _ in links}) == len(links) == 4
    for (name, words), table in zip(links, (*together.values(), *made.values())):
        whole = table.whole if isinstance(table, Excerpt) else table
        read = pd.read_csv(tmp_path / name, keep_default_na=False)
        assert read.shape == whole.shape
        if isinstance(table, Excerpt):
            assert read.astype(str).equals(whole.astype(str)), name
        assert words == (f"All {len(whole)} rows (CSV)" if isinstance(table, Excerpt) else "CSV")
