"""The report: figures are the same bytes for the same data, the page is self-contained and clean in a browser."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import report, stores
from allometry.report import connectomes, recordings, simulations
from allometry.report.card import Figure
from allometry.report.page import table_html

ATTRS = {
    "title": "A <store>",
    "species": "Caenorhabditis elegans",
    "citation": "none",
    "licence": "none",
    "source": {},
    "parameters": {},
    "derived": {},
}


def _connectome(path: Path) -> str:
    nodes = pd.DataFrame({"type": ["inter", "motor", "muscle"]}, index=["AVAL", "VB2", "BWM-DL01"])
    edges = pd.DataFrame(
        {"source": ["AVAL", "VB2"], "target": ["VB2", "BWM-DL01"], "weight": [3.0, 1.0], "synapse": ["chemical"] * 2}
    )
    attrs = {**ATTRS, "absent_means": {"chemical": "zero"}}
    stores.write(stores.connectome(nodes, edges, attrs=attrs), path)
    return str(path)


def _spikes(path: Path) -> str:
    units = pd.DataFrame({"population": ["E"] * 8 + ["I"] * 2})
    rng = np.random.default_rng(1)
    step, unit = np.divmod(np.sort(rng.choice(10_000, 200, replace=False)), 10)
    ds = stores.spikes_simulated(step + 1, unit, dt_ms=0.1, units=units, duration_ms=100.0, attrs={**ATTRS, "seed": 1})
    stores.write(ds, path)
    return str(path)


def test_the_same_connectome_gives_the_same_bytes(tmp_path: Path) -> None:
    path = _connectome(tmp_path / "c.zarr")
    for name in ("a.png", "b.png"):
        connectomes.draw({"c": path}, tmp_path / name, {"Caenorhabditis elegans": ["AVAL", "VB2"]})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert "c 1" in Figure.load(tmp_path / "a.png").caption  # the muscle is not on the axis, and the caption says so


def test_rates_of_a_simulation_are_those_of_its_spikes(tmp_path: Path) -> None:
    path = _spikes(tmp_path / "s.zarr")
    simulations.draw({"s": path}, tmp_path / "s.png", "run", window_ms=50.0, units=10, axes={})
    assert "10 neurons in 2 populations, 200 spikes" in Figure.load(tmp_path / "s.png").caption


def test_table_escapes_text_and_links_paths(tmp_path: Path) -> None:
    html = table_html(
        pd.DataFrame({"path": ["results/a.zarr"], "x": ["<b>"], "n": [1234567], "f": [0.123456]}), tmp_path
    )
    assert "&lt;b&gt;" in html
    assert "1,234,567" in html
    assert "0.1235" in html
    assert 'href="' in html


class _Resources(HTMLParser):
    """Everything that a browser would fetch by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("img", "script", "iframe", "source", "link"):
            self.found.append(values.get("src") or values.get("href") or "")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page of one connectome and one simulation."""
    paths = [_connectome(tmp_path / "results/c.zarr"), _spikes(tmp_path / "results/s.zarr")]
    images = [
        tmp_path / "results/report/figures/connectomes_x.png",
        tmp_path / "results/report/figures/simulated_x.png",
    ]
    connectomes.draw({"c": paths[0]}, images[0], {})
    simulations.draw({"s": paths[1]}, images[1], "x", window_ms=50.0, units=10, axes={})
    source = {
        "species": "Caenorhabditis elegans",
        "citation": "A & B",
        "licence": "MIT",
        "verified": "real",
        "files": [{"name": "x.csv", "sha256": "0" * 64}],
    }
    out = tmp_path / "results/report/index.html"
    report.write_page(
        out,
        stores=paths,
        images=[str(image) for image in images],
        configuration={"report": {"title": "Title & more"}},
        sources={"x": source},
        unused=["y"],
    )
    return out


def test_page_is_self_contained_and_its_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    resources = _Resources()
    resources.feed(text)
    assert resources.found
    assert all(source.startswith("data:") for source in resources.found)
    assert "Title &amp; more" in text
    assert "A &amp; B" in text
    links = set(re.findall(r'href="([^"#:]+)"', text))
    assert links
    for link in links:
        assert (page.parent / link).resolve().exists(), link


def test_page_has_no_console_message_in_a_browser(page: Path, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    done = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--enable-logging=stderr",
            "--window-size=1280,2400",
            f"--screenshot={tmp_path / 'page.png'}",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (tmp_path / "page.png").stat().st_size > 20_000, done.stderr[-2000:]
    assert "CONSOLE" not in done.stderr


def test_recordings_are_drawn_with_their_coverage(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    made = [
        stores.Recording(
            name=f"r{i}",
            time=np.arange(50) / 3.0,
            trace=rng.normal(size=(50, 3)).astype(np.float32),
            label=["a", "b", ""],
            resampled=rng.normal(size=(50, 2)).astype(np.float32),
        )
        for i in range(2)
    ]
    tree = stores.activity(made, ["a", "b"], 3.0, attrs=ATTRS)
    stores.write(tree, tmp_path / "r.zarr")
    recordings.draw({"r": str(tmp_path / "r.zarr")}, tmp_path / "coverage_x.png")
    recordings.draw({"r": str(tmp_path / "r.zarr")}, tmp_path / "recordings_r.png")
    assert "2 recordings; 2 of 2" in Figure.load(tmp_path / "coverage_x.png").caption
    assert isinstance(xr.open_datatree(tmp_path / "r.zarr", engine="zarr"), xr.DataTree)
