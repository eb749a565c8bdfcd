"""The report: files of figures are the same bytes for the same data, the page is self-contained, and a browser shows it well."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from allometry import report, stores
from allometry.report.page import tables
from tests.report.browser import Page, browsing, console, printed_pages
from tests.report.samples import ATTRS, connectome_store, spikes_store
from tests.stores import samples

WIDTHS = (400, 900, 1400)


def test_figures_are_the_same_bytes_in_every_format(tmp_path: Path) -> None:
    path = connectome_store(tmp_path / "c.zarr")
    figure = {"plot": "connectome", "stores": (path,), "options": {}}
    report.draw({"a": figure, "b": figure}, [str(tmp_path / "a.png"), str(tmp_path / "b.png")])
    for suffix in (".png", ".svg", ".csv", ".json"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    described = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert described["stores"] == [path]
    assert "VB2 on top" in described["alternative"]  # the one with two connections
    assert "<text" in (tmp_path / "a.svg").read_text(encoding="utf-8")  # text stays text


def test_table_escapes_text_links_paths_and_is_a_csv(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": ["results/a.zarr"], "x": ["<b>"], "n": [1234567], "f": [-0.123456]})
    shown = tables.shown("A table", table, tmp_path, tmp_path / "tables/a.csv")
    assert "&lt;b&gt;" in shown.body
    assert "1,234,567" in shown.body
    assert "−0.1235" in shown.body
    assert 'href="' in shown.body
    assert shown.csv == "tables/a.csv"
    assert pd.read_csv(tmp_path / "tables/a.csv").equals(table)


class _Resources(HTMLParser):
    """Everything that a browser would fetch by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("img", "script", "iframe", "source", "link"):
            self.found.append(values.get("src") or values.get("href") or "")


def _scores(path: Path) -> str:
    """Thirty rows of two measures, judged and not."""
    rows: list[dict[str, Any]] = [
        {
            "measure": "edge_recall" if k % 2 else "influence_auc",
            "candidate": f"candidate_{k:02d}",
            "reference": "a <reference>",
            "role": "result" if k < 20 else "baseline",
            "score": (7 * k % 30) / 30,
            "ci_low": 0.1,
            "ci_high": 0.9,
            "n": 1000 * k,
            "verdict": ("better" if k % 3 else "worse") if k < 20 else "",
            "baseline": "path_length" if k < 20 else "",
            "difference": 0.1,
            "difference_low": 0.09 if k == 17 else 0.05,  # stands out most
            "difference_high": 0.11 if k == 17 else 0.15,
        }
        for k in range(30)
    ]
    stores.write(stores.scores(rows, attrs={**ATTRS, "seed": 1}), path)
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of three connectomes, one simulation and scores."""
    folder = tmp_path_factory.mktemp("page")
    names = ("c", "d", "e")
    paths = [connectome_store(folder / f"results/homogenized/connectome/{name}.zarr") for name in names]
    paths.append(spikes_store(folder / "results/simulated/run/s.zarr"))
    paths.append(_scores(folder / "results/compared/judged.zarr"))
    figures = {
        **{
            f"connectome_{name}": {"plot": "connectome", "stores": (path,), "options": {}}
            for name, path in zip(names, paths)
        },
        "connectomes_worm": {"plot": "connectomes", "stores": tuple(paths[:3]), "options": {}},
        "simulated_run": {"plot": "spikes", "stores": (paths[3],), "options": {"window_ms": 50.0}},
        "compared_judged": {"plot": "comparison", "stores": (paths[4],), "options": {}},
    }
    images = [str(folder / f"results/report/figures/{name}.png") for name in figures]
    report.draw(figures, images)
    taken = folder / "results/benchmarks/simulate/s.tsv"
    taken.parent.mkdir(parents=True)
    taken.write_text("s\th:m:s\n90.0\t0:01:30\n")
    source = {
        "species": "Caenorhabditis elegans",
        "citation": "A & B",
        "licence": "MIT",
        "verified": "real",
        "files": [{"name": "x.csv", "sha256": "0" * 64}],
    }
    out = folder / "results/report/index.html"
    report.write_page(
        out,
        stores=paths,
        images=images,
        configuration={"report": {"title": "Title & more"}},
        sources={"x": source},
        unused={"packages": ["y"], "elsewhere": ["z"]},
        benchmarks=folder / "results/benchmarks",
    )
    return out


@pytest.fixture(scope="module")
def tab(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page in a browser."""
    with browsing(tmp_path_factory.mktemp("browser")) as opened:
        opened.open(made)
        yield opened


def test_page_is_self_contained_and_its_links_lead_somewhere(made: Path) -> None:
    text = made.read_text(encoding="utf-8")
    resources = _Resources()
    resources.feed(text)
    assert resources.found
    assert all(source.startswith("data:") for source in resources.found if source)
    assert "Title &amp; more" in text
    assert "A &amp; B" in text
    links = set(re.findall(r'href="([^"#:]+)"', text))
    assert {"figures/connectome_c.svg", "figures/connectome_c.csv", "tables/scores.csv"} <= links
    for link in links:
        assert (made.parent / link).resolve().exists(), link
    anchors = set(re.findall(r' id="([^"]+)"', text))
    for link in re.findall(r'href="#([^"]+)"', text):
        assert link in anchors, link
    assert len(anchors) == len(re.findall(r' id="', text))


def test_findings_and_chain_come_first(made: Path) -> None:
    text = made.read_text(encoding="utf-8")
    sections = re.findall(r'<section id="([^"]+)"', text)
    assert sections == [
        "findings",
        "chain",
        "data",
        "homogenized",
        "simulations",
        "comparisons",
        "stores",
        "provenance",
    ]
    finding = text.split('<ol class="findings">')[1].split("</ol>")[0]
    for words in (
        "0.967 (0.1 to 0.9)",
        "better than path length, +0.100 (+0.090 to +0.110)",
        'href="#compared_judged"',
    ):
        assert words in finding, words
    chain = text.split('<ol class="chain"')[1].split("</ol>")[0]
    for words in ("1 data set", "3 connectomes", "1 simulation", "1.5 min", "1 comparison", "30 scores", "6 figures"):
        assert words in chain, words
    assert "study" not in chain  # this run has none


def test_every_figure_has_its_files_its_command_and_its_words(made: Path) -> None:
    text = made.read_text(encoding="utf-8")
    figure = text.split('<figure id="simulated_run">')[1].split("</figure>")[0]
    for words in (
        "figures/simulated_run.png",
        "figures/simulated_run.svg",
        "figures/simulated_run.csv",
        "--plot spikes --set window_ms=50.0",
        "figures.spikes(",
    ):
        assert words in figure, words
    for alternative in re.findall(r'<img [^>]*alt="([^"]*)"', text):
        assert len(alternative) > 60, alternative
    # one large, the others small, and linked to their full images
    gallery = text.split('<ul class="gallery">')[1].split("</ul>")[0]
    assert gallery.count("<img") == 2
    assert 'href="figures/connectome_d.png"' in gallery


def test_page_has_no_console_message_and_fetches_nothing(tab: Page) -> None:
    assert tab.messages == []
    outside = [address for address in tab.requests[1:] if not address.startswith(("data:", "blob:"))]
    assert outside == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(tab: Page, width: int) -> None:
    tab.resize(width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    beyond = tab.evaluate(
        """[...document.querySelectorAll('body *')].filter(e => {
            const box = e.getBoundingClientRect();
            return box.width && box.right > innerWidth + 1 && !e.closest('.sheet, pre, .skip');
        }).map(e => e.outerHTML.slice(0, 90))"""
    )
    assert beyond == []
    # text in figures stays readable: shown at three quarters of the size it was drawn for, or more
    shares = tab.evaluate(
        "[...document.querySelectorAll('figure img')].map(e => e.getBoundingClientRect().width / Number(e.getAttribute('width')))"
    )
    assert min(shares) > 0.7
    tab.resize(1280)


def test_text_has_contrast(tab: Page) -> None:
    tab.resize(1280)
    weak = tab.evaluate(
        """(() => {
            const channel = v => (v /= 255, v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
            const light = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
            const parse = t => (t.match(/[\\d.]+/g) || []).map(Number);
            const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
                if (c.length === 3 || c[3] > .99) return c; } return [255, 255, 255]; };
            const found = [];
            for (const e of document.querySelectorAll('body *')) {
                if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
                const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
                const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
                if (ratio < 4.5) found.push([e.tagName, e.textContent.trim().slice(0, 40), ratio]);
            }
            return found;
        })()"""
    )
    assert weak == []


def _column(tab: Page, place: int) -> list[str]:
    return list(
        tab.evaluate(
            f"[...document.querySelectorAll('#scores tbody tr')].filter(r => !r.hidden).map(r => r.cells[{place}].textContent)"
        )
    )


def _heads(tab: Page) -> list[str]:
    return list(tab.evaluate("[...document.querySelectorAll('#scores th')].map(h => h.textContent)"))


def test_scores_are_sorted_by_the_keyboard(tab: Page, made: Path) -> None:
    tab.open(made)
    place = _heads(tab).index("score")
    tab.evaluate(f"document.querySelectorAll('#scores th button')[{place}].focus()")
    tab.key("Enter", 13, "\r")
    values = [float(text) for text in _column(tab, place)]
    assert values == sorted(values)
    assert len(values) == 30
    assert tab.evaluate(f"document.querySelectorAll('#scores th')[{place}].getAttribute('aria-sort')") == "ascending"
    tab.key("Enter", 13, "\r")
    assert [float(text) for text in _column(tab, place)] == values[::-1]
    # numbers with separators are numbers
    place = _heads(tab).index("n")
    tab.evaluate(f"document.querySelectorAll('#scores th button')[{place}].click()")
    assert _column(tab, place) == [f"{1000 * k:,}" for k in range(30)]


def test_scores_are_filtered_and_saved_as_they_are_shown(tab: Page, made: Path) -> None:
    tab.open(made)
    heads = _heads(tab)
    tab.evaluate(
        """(() => { const one = document.querySelector('#scores select[data-column="VERDICT"]'); one.value = 'worse';
        one.dispatchEvent(new Event('change')); })()""".replace("VERDICT", str(heads.index("verdict")))
    )
    assert len(_column(tab, 0)) == 7
    tab.evaluate(
        "(() => { const one = document.querySelector('#scores [data-filter]'); one.value = 'edge candidate_0'; one.dispatchEvent(new Event('input')); })()"
    )
    assert _column(tab, heads.index("candidate")) == ["candidate_03", "candidate_09"]
    assert tab.evaluate("document.querySelector('#scores output').textContent") == "2 of 30 rows"
    text = tab.evaluate(
        """new Promise(done => {
            const make = URL.createObjectURL;
            URL.createObjectURL = blob => { blob.text().then(done); URL.createObjectURL = make; return make(blob); };
            document.querySelector('#scores [data-save]').click();
        })"""
    )
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["candidate"] for row in rows] == ["candidate_03", "candidate_09"]
    assert rows[0]["reference"] == "a <reference>"
    whole = pd.read_csv(made.parent / "tables/scores.csv")
    assert len(whole) == 30
    assert list(whole.columns) == heads


def test_every_control_is_reached_by_tab_and_seen(tab: Page, made: Path) -> None:
    tab.open(made)
    seen = []
    while len(seen) < 2 or seen[-1][0] != "BODY":  # behind the last one the browser begins again
        assert len(seen) < 400
        tab.key("Tab", 9)
        seen.append(
            tab.evaluate(
                """(() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.tagName, s.outlineStyle, e.className]; })()"""
            )
        )
    tags = {tag for tag, _, _ in seen}
    assert seen[0][2] == "skip"
    assert {"A", "SUMMARY", "DIV", "PRE"} <= tags
    assert all(outline != "none" for tag, outline, _ in seen if tag != "BODY")


def test_print_has_every_section_on_pages_that_fit(tab: Page, made: Path, tmp_path: Path) -> None:
    tab.open(made)
    tab.print(tmp_path / "page.pdf")
    pages = printed_pages(tmp_path / "page.pdf")
    assert len(pages) > 3
    first = pages[0]
    assert (round(first[0]), round(first[1])) == (595, 842)  # A4
    assert first[2] > 30  # title, findings and chain stand on it
    assert all(marks for *_, marks in pages)
    assert any(width > height for width, height, _ in pages)  # the scores have pages of their own, on which they fit
    width = round((297 - 20) / 25.4 * 96)
    tab.resize(width, media="print")
    cut = tab.evaluate(
        """[...document.querySelectorAll('.table.landscape .sheet, .findings, .chain')].filter(e =>
            e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1).map(e => e.parentElement.id)"""
    )
    assert cut == []
    tab.resize(round((210 - 24) / 25.4 * 96), media="print")
    cut = tab.evaluate(
        """[...document.querySelectorAll('.sheet, pre')].filter(e => !e.closest('.landscape') && e.offsetWidth &&
            (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)).map(e => e.getAttribute('aria-label') || e.tagName)"""
    )
    assert cut == []
    tab.resize(1280)


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
    table = text.split("<h4>Catalogue: every recording</h4>")[1].split("</table>")[0]
    assert table.count("<tr>") == 1 + 2 + 1
    for cell in ("worm_1", "worm_2", "hours", "native rate (Hz)"):
        assert f">{cell}<" in table, cell
    assert 'href="../worms.zarr"' in table
    assert "indicator" not in table  # nobody says one
    assert console(out, tmp_path) == []
