"""What is written in Python on the pages runs, in the order of the page, and prints what the page says."""

import re
from pathlib import Path

import pytest

from allometry import plugins
from tests.documentation import pages

# Pages whose blocks run one after the other in an empty folder
EXECUTED = ("measures-tell", "own-measure", "own-network", "simulator", "times", "workflow")
# Pages that a test of their own executes
ELSEWHERE = {
    "add-a-reader": "tests/homogenize/test_own_files.py",
    "bring-your-data": "tests/workflow/test_pages.py",
    "comparisons": "tests/workflow/test_pages.py",
    "networks": "tests/simulate/test_networks_page.py",
    "own-comparison": "tests/documentation/test_plugin_pages.py",
    "own-connectome": "tests/documentation/test_own_files.py",
    "own-neuron": "tests/documentation/test_own_neuron_page.py",
    "plugins": "tests/documentation/test_plugin_pages.py",
    "scaling": "tests/scale/test_scaling_page.py",
    "tutorial": "tests/documentation/test_tutorial.py",
}


def test_every_page_with_python_is_executed(root: Path) -> None:
    found = {Path(block.page).stem for block in pages.all_blocks("python")}
    assert found == {*EXECUTED, *ELSEWHERE}
    for name, file in ELSEWHERE.items():
        assert name in (root / file).read_text(encoding="utf-8"), file


@pytest.mark.parametrize("name", EXECUTED)
def test_a_page_runs_in_an_empty_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    pages.write(tmp_path, pages.files(name))
    namespace: dict[str, object] = {}
    try:
        for block in pages.blocks(pages.page(name), "python"):
            if not block.title:
                pages.execute(block, namespace)
                printed = capsys.readouterr().out
                if block.prints is not None:
                    assert printed == block.prints, f"{name}, line {block.line}"
    finally:
        plugins.forget()


def test_what_is_printed_is_compared() -> None:
    """Of the pages, and in a page that is wrong."""
    shown = [block for block in pages.all_blocks("python") if block.prints is not None]
    assert len(shown) >= 3
    assert all(re.search(r"\bprint\(", block.text) for block in shown)
