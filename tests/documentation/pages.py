"""The pages of the documentation, and the blocks of code in them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((*ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "benchmarks/README.md"))
FENCE = re.compile(r'^ *```(\w*)(?: title="([^"\n]+)")?[^\n]*\n(.*?)^ *```', re.MULTILINE | re.DOTALL)
PRINTS = "prints"
"""Title of a block of text with what the code above it prints."""


@dataclass(frozen=True)
class Block:
    """A block of code.

    Parameters
    ----------
    page : str
        Name of the file.
    language : str
        As the fence says; may be empty.
    title : str
        File that the page tells to write; empty for code to type.
    text : str
        The code.
    line : int
        Line of the page that it begins on.
    prints : str, optional
        What it prints, where the page says so.
    """

    page: str
    language: str
    title: str
    text: str
    line: int
    prints: str | None = None


def blocks(page: Path, *languages: str) -> list[Block]:
    """Blocks of a page in their order, of some languages or of all; what a block prints goes with it."""
    text = page.read_text(encoding="utf-8")
    found: list[Block] = []
    for match in FENCE.finditer(text):
        language, title, code = match[1], match[2] or "", match[3]
        if title == PRINTS:
            above = found.pop()
            found.append(Block(above.page, above.language, above.title, above.text, above.line, code))
        else:
            found.append(Block(page.name, language, title, code, text.count("\n", 0, match.start(3)) + 1))
    return [block for block in found if not languages or block.language in languages]


def all_blocks(*languages: str) -> Iterator[Block]:
    """Blocks of all pages."""
    for page in PAGES:
        yield from blocks(page, *languages)


def page(name: str) -> Path:
    """A page of the documentation by its name, without the suffix."""
    return ROOT / "docs" / f"{name}.md"


def files(*names: str) -> dict[str, str]:
    """Files that pages tell to write: text by path; of one that is told twice the last counts."""
    return {block.title: block.text for name in names for block in blocks(page(name)) if "." in block.title}


def write(folder: Path, given: Mapping[str, str]) -> None:
    """Write files as a page tells to."""
    for name, text in given.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def execute(found: Block, namespace: dict[str, object]) -> None:
    """Run a block; line numbers of an error are those of the page."""
    code = "\n" * (found.line - 1) + found.text
    exec(compile(code, found.page, "exec"), namespace)
