"""The report: figures are the same bytes for the same data, the page is self-contained and clean in a browser."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from allometry import report, stores
from allometry.report import connectomes, simulations
from allometry.report.drawing.figure_file import Figure
from allometry.report.page import table_html
from tests.report.browser import console
from tests.report.samples import connectome_store, spikes_store
from tests.stores import samples


def test_the_same_connectome_gives_the_same_bytes(tmp_path: Path) -> None:
    path = connectome_store(tmp_path / "c.zarr")
    for name in ("a.png", "b.png"):
        connectomes.draw({"c": path}, tmp_path / name, {"Caenorhabditis elegans": ["AVAL", "VB2"]})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert "c 1" in Figure.load(tmp_path / "a.png").caption  # the muscle is not on the axis, and the caption says so


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
    paths = [connectome_store(tmp_path / "results/c.zarr"), spikes_store(tmp_path / "results/s.zarr")]
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
        unused={"packages": ["y"], "elsewhere": ["z"]},
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
    assert console(page, tmp_path) == []
    assert (tmp_path / "page.png").stat().st_size > 20_000


@pytest.mark.parametrize("text", ['<script>console.error("x")</script>', '<script>throw new Error("x")</script>'])
def test_a_console_message_is_detected(tmp_path: Path, text: str) -> None:
    page = tmp_path / "loud.html"
    page.write_text(f'<!doctype html><link rel="icon" href="data:,"><p>text</p>{text}', encoding="utf-8")
    assert console(page, tmp_path)


def test_every_recording_is_in_the_catalogue(tmp_path: Path) -> None:
    paths = [tmp_path / "results/worms.zarr", tmp_path / "results/probe.zarr"]
    stores.write(samples.activity(), paths[0])
    stores.write(samples.recorded_spikes(), paths[1])
    out = tmp_path / "results/report/index.html"
    report.write_page(
        out,
        stores=[str(path) for path in paths],
        images=[],
        configuration={"report": {"title": "Recordings"}},
        sources={},
        unused={"packages": [], "elsewhere": []},
    )
    text = out.read_text(encoding="utf-8")
    table = text.split("<h3>Catalogue: every recording</h3>")[1].split("</table>")[0]
    assert table.count("<tr>") == 1 + 2 + 1
    for cell in ("worm_1", "worm_2", "hours", "native rate (Hz)"):
        assert f">{cell}<" in table
    assert 'href="../worms.zarr"' in table
    assert "indicator" not in table  # nobody says one
    assert console(out, tmp_path) == []
