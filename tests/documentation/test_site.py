"""What a page loads from other servers is found; `.ci/run` asks the same of the whole site."""

from pathlib import Path

import pytest
import yaml

from tests.documentation import site

LOADS = {
    "font": '<link rel="stylesheet" href="https://fonts.example.org/a.css">',
    "script": '<script src="//cdn.example.org/a.js"></script>',
    "picture": '<p><img alt="" src="https://example.org/a.png"></p>',
    "style": "<style>@import 'https://example.org/a.css';</style>",
    "background": '<div style="background: url(https://example.org/a.png)"></div>',
}


@pytest.mark.parametrize("page", LOADS.values(), ids=LOADS)
def test_what_a_page_loads_from_elsewhere_is_named(tmp_path: Path, page: str, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "index.html").write_text(f"<html>{page}</html>")
    assert site.main([str(tmp_path)]) == 1
    assert "index.html: " in capsys.readouterr().err


def test_links_to_follow_and_own_files_are_no_request(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<link rel="canonical" href="https://a.org/"><a href="https://a.org">a</a><img src="a.png"><script src="../a.js"></script>'
    )
    (tmp_path / "a.css").write_text("a { background: url(a.png) }")
    assert site.main([str(tmp_path)]) == 0
    (tmp_path / "a.css").write_text("@font-face { src: url(https://a.org/a.woff2) }")
    assert site.asked(tmp_path) == ["a.css: https://a.org/a.woff2"]
    (tmp_path / "index.html").unlink()
    assert site.main([str(tmp_path)]) == 1


def test_the_site_is_built_without_fonts_from_elsewhere_and_with_strict_links(root: Path) -> None:
    made = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))
    assert made["theme"]["font"] is False
    assert made["validation"]["links"] == {"anchors": "warn", "absolute_links": "warn"}
    assert not [key for key in ("extra_javascript", "extra_css", "repo_url") if key in made]
    steps = (root / ".ci/run").read_text(encoding="utf-8")
    assert "mkdocs build --strict" in steps
    assert "python -m tests.documentation.site" in steps
