"""The whole workflow of tests/config.yaml: what it leaves, that a second run does nothing, and what a change reruns."""

import json
import re
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest
import xarray as xr

from allometry import stores
from allometry.workflow.planning import plan_text
from tests.forked import Forks
from tests.report.browser import console
from tests.workflow.conftest import Run


@pytest.fixture
def configuration(root: Path) -> str:
    return str(root / "tests/config.yaml")


def _verify(forks: Forks, folder: Path) -> subprocess.CompletedProcess[str]:
    return forks.run("allometry", "verify", str(folder))


def _planned(snakemake: Run, configuration: str, folder: Path, **options: object) -> set[str]:
    """Rules that Snakemake would run now."""
    done = snakemake("--cores", "2", "--configfile", configuration, "-n", directory=folder, timed=False, **options)  # type: ignore[arg-type]
    assert done.returncode == 0, done.stdout + done.stderr
    # A rule with a message is not named in the list of jobs, but always in the table below it.
    return set(re.findall(r"^(\w+) +\d+$", done.stdout + done.stderr, re.MULTILINE)) - {"all", "total"}


def test_every_store_is_valid_and_opens_without_a_warning(finished: Path) -> None:
    found = sorted((finished / "results").rglob("*.zarr"))
    assert {path.parts[path.parts.index("results") + 1] for path in found} == {
        "homogenized",
        "simulated",
        "scaled",
        "compared",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in found:
            xr.open_datatree(path, engine="zarr").close()
            assert stores.violations(stores.open(path)) == [], path


def test_the_plan_of_the_run_is_kept_and_fits_what_was_written(finished: Path) -> None:
    *stages, together = plan_text.outcomes(finished / "results")
    assert together.ran == together.jobs == sum(stage.jobs for stage in stages)
    assert together.jobs == len(list((finished / "results/benchmarks").rglob("*.tsv")))
    for planned, found in (together.disk, together.files):
        assert 0.5 < planned / found < 2


def test_connectome_has_labelled_dimensions_and_units(finished: Path) -> None:
    ds = xr.open_zarr(finished / "results/homogenized/connectome/cook2019_hermaphrodite.zarr")
    assert set(ds.dims) == {"node", "edge"}
    assert "AVAL" in ds["node"].values
    assert ds["weight"].attrs["units"]


def test_verify_passes_and_finds_one_changed_byte(forks: Forks, finished: Path, tmp_path: Path) -> None:
    assert _verify(forks, finished / "results").returncode == 0
    copy = tmp_path / "results"
    shutil.copytree(finished / "results" / "compared", copy)
    chunk = max((path for path in copy.rglob("c/*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    done = _verify(forks, copy)
    assert done.returncode == 1
    assert chunk.name in done.stdout + done.stderr


def test_second_run_does_nothing(snakemake: Run, configuration: str, finished: Path) -> None:
    assert _planned(snakemake, configuration, finished) == set()


def test_deleted_store_behind_a_kept_manifest_is_rebuilt(snakemake: Run, configuration: str, finished: Path) -> None:
    store = finished / "results/homogenized/connectome/white1986_whole.zarr"
    aside = store.with_suffix(".aside")
    store.rename(aside)
    try:
        assert "homogenize_store" in _planned(snakemake, configuration, finished)
    finally:
        aside.rename(store)


def test_cards_quote_model_recovery_and_are_linked(finished: Path) -> None:
    page = (finished / "results/report/index.html").read_text(encoding="utf-8")
    for path in (finished / "results/compared").glob("*.cards.json"):
        name = path.name.removesuffix(".cards.json")
        assert f'href="cards/{name}.html"' in page
        assert (finished / f"results/report/cards/{name}.html").is_file()
    cards = json.loads((finished / "results/report/cards/worm_agreement.json").read_text(encoding="utf-8"))
    quoted = {card["identity"]["measure"]: card["validity"]["recovery"] for card in cards}
    assert set(quoted) == {"edge_recall", "edge_precision", "edge_jaccard", "weight_rank_correlation"}
    assert all(len(quotes) == 1 for quotes in quoted.values())
    assert "missed" in quoted["edge_recall"][0]["sees"]
    assert "missed" in quoted["edge_precision"][0]["does_not_see"]


@pytest.mark.parametrize("page", ["index.html", "cards/worm_agreement.html"])
def test_report_page_in_browser(finished: Path, tmp_path: Path, page: str) -> None:
    assert console(finished / "results/report" / page, tmp_path) == []
    assert (tmp_path / "page.png").stat().st_size > 20_000


@pytest.mark.slow
def test_snakemake_writes_its_own_report(snakemake: Run, configuration: str, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    done = snakemake("--cores", "1", "--configfile", configuration, "--report", str(out), directory=finished)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    text = out.read_text(encoding="utf-8")
    for figure in (finished / "results/report/figures").glob("*.png"):
        assert figure.name in text, figure
    for category in ("Connectomes", "Recordings", "Simulations", "Comparisons", "Cards", "Page"):
        assert category in text


def test_another_title_redoes_the_page_and_no_figure(
    snakemake: Run, configuration: str, finished: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(Path(configuration).read_text(encoding="utf-8") + "\nreport: {title: Another}\n", encoding="utf-8")
    assert _planned(snakemake, str(other), finished) == {"write_page"}


def test_unknown_key_stops_the_workflow_with_one_message(snakemake: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("homogenise: {}\n")
    done = snakemake("--cores", "1", "--configfile", str(tmp_path / "mine.yaml"), "-n", directory=tmp_path)
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "did you mean 'homogenize'" in text
    assert "Traceback" not in text


def test_unknown_store_stops_the_workflow_with_one_message(snakemake: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("homogenize: {connectome: [cook2091]}\n")
    done = snakemake("--cores", "1", "--configfile", str(tmp_path / "mine.yaml"), "-n", directory=tmp_path)
    assert done.returncode != 0
    assert "cook2091" in done.stdout + done.stderr
