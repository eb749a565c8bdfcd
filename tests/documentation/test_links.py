"""Every link between files leads to a file and a heading that there are; what the code says of a page is on a page."""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from markdown.extensions.toc import slugify, unique

from tests.documentation import pages

READ = (*pages.PAGES, *sorted(pages.ROOT.glob("docs/notebooks/*.py")), pages.ROOT / "changes/README.md")
LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\]\([^)]*\))*\]\(([^)\s]+)\)")
CODE = re.compile(r"`[^`\n]*`")


def links(page: Path) -> list[str]:
    """Targets of the links of a page, those of pictures too."""
    text = pages.FENCE.sub("", page.read_text(encoding="utf-8"))
    # in a link whose text is code, the brackets stay
    return LINK.findall(re.sub(r"`[^`\n]*`", "code", text))


@cache
def anchors(page: Path) -> frozenset[str]:
    """Names of the headings of a page, as the site has them."""
    text = pages.FENCE.sub("", page.read_text(encoding="utf-8"))
    used: set[str] = set()
    for title in re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", title)
        unique(slugify(plain, "-"), used)
    return frozenset(used)


@pytest.mark.parametrize("page", READ, ids=lambda page: page.relative_to(pages.ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for target in links(page):
        if re.match(r"https?://", target):
            wrong += [] if re.fullmatch(r"https://[\w.-]+\.[a-z]{2,}(/[^\s<>\"]*)?", target) else [target]
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            wrong.append(target)
    assert wrong == []


def test_links_are_found_and_wrong_ones_would_be(tmp_path: Path) -> None:
    assert sum(len(links(page)) for page in READ) > 150
    page = tmp_path / "a.md"
    page.write_text(
        "# One\n\n## Two `three`\n\n[a](b.md), [`code`](#two-three), ![p](i.png)\n\n```\n[not](this)\n```\n"
    )
    assert links(page) == ["b.md", "#two-three", "i.png"]
    assert anchors(page) == {"one", "two-three"}
    with pytest.raises(AssertionError, match=r"b\.md"):
        test_links_lead_somewhere(page)


def test_pages_that_code_and_configurations_name_are_there(root: Path) -> None:
    named: set[str] = set()
    for folder, suffixes in (("allometry", "*.py"), ("config", "*.yaml"), ("rules", "*.smk"), ("scripts", "*.py")):
        for path in (root / folder).rglob(suffixes):
            named |= set(re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8")))
    assert len(named) >= 10
    assert [name for name in sorted(named) if not (root / name).is_file()] == []


def test_every_page_is_in_the_navigation_once_below_one_of_the_four_parts(root: Path) -> None:
    navigation = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    parts = {title: entries for part in navigation for title, entries in part.items()}
    assert list(parts) == ["Start", "Tutorial", "How to", "Reference", "Explanation"]

    def listed(entries: object) -> list[str]:
        if isinstance(entries, str):
            return [entries]
        values = entries.values() if isinstance(entries, dict) else entries
        return [name for value in values for name in listed(value)]  # type: ignore[attr-defined]

    shown = listed(navigation)
    assert len(shown) == len(set(shown))
    assert set(shown) == {path.relative_to(root / "docs").as_posix() for path in (root / "docs").rglob("*.md")}
