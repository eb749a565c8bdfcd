"""What a built site asks of other servers: `python -m tests.documentation.site FOLDER` names it, and ends with 1 if there is anything."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

# Attributes that a browser loads, by element; a link that is followed by a click is none
LOADED = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
}
ELSEWHERE = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
STYLE = re.compile(r"(?:@import\s+|url\()\s*['\"]?((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        # said about the page, not loaded
        if tag == "link" and given.get("rel", "") in ("canonical", "prev", "next", "alternate"):
            return
        self.asked += [given[name] for name in LOADED.get(tag, ()) if ELSEWHERE.match(given.get(name, ""))]
        self.asked += STYLE.findall(given.get("style", ""))


def asked(site: Path) -> list[str]:
    """Addresses on other servers that the pages and styles of a site load, as `FILE: ADDRESS`."""
    found = []
    for path in sorted(site.rglob("*")):
        if path.suffix == ".html":
            text = path.read_text(encoding="utf-8")
            page = _Page()
            page.feed(text)
            addresses = page.asked + [
                address
                for style in re.findall(r"<style[^>]*>(.*?)</style>", text, re.DOTALL)
                for address in STYLE.findall(style)
            ]
        elif path.suffix == ".css":
            addresses = STYLE.findall(path.read_text(encoding="utf-8"))
        else:
            continue
        found += [f"{path.relative_to(site)}: {address}" for address in addresses]
    return found


def main(arguments: list[str]) -> int:
    """Print what is asked; return the exit status."""
    (site,) = map(Path, arguments)
    if not list(site.rglob("*.html")):
        print(f"{site} holds no page", file=sys.stderr)
        return 1
    found = asked(site)
    print("\n".join(found) if found else "the site asks nothing of other servers", file=sys.stderr if found else None)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
