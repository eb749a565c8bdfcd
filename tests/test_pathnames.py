"""Texts of a configuration that become part of a path: none leads out of the results folder."""

from pathlib import Path

import pytest

from allometry import config as configuration
from allometry.errors import ConfigError
from allometry.pathnames import is_file_name, is_name, nearest_name, part, slug
from allometry.workflow import snakefile as workflow

HOSTILE = ["/../../x", "..", "../x", "a/b", "a\\b", "{kind}", "a\nb", "x" * 300, "", " ", "\u30d2\u30c8"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_leads_out_of_its_folder(text: str) -> None:
    assert not is_name(text)
    assert is_name(nearest_name(text))
    for made in (slug(text), f"a{part(text)}"):
        assert Path("results", made).resolve().parent == Path("results").resolve()
        assert "{" not in made
        assert "\n" not in made
    assert len(slug(text)) < 200


@pytest.mark.parametrize("text", ["/../../x", "a/b", "{kind}.csv", "a\nb", "x" * 300, "", ".a", "manifest.json", "a*"])
def test_a_file_name_stays_in_the_folder_of_its_data_set(text: str) -> None:
    assert not is_file_name(text)
    assert is_file_name("Worm 3 (20\u00b0C).csv")


def test_slugs_of_species_keep_their_names_and_never_meet() -> None:
    assert slug("Caenorhabditis elegans") == "caenorhabditis_elegans"
    assert len({slug(text) for text in ("Mus musculus", "Mus-musculus", "Mus/musculus", "Mus musculus!")}) == 4


@pytest.mark.parametrize("kind", ["connectome", "activity"])
def test_species_cannot_leave_the_results_folder(root: Path, kind: str) -> None:
    names = ("mine", "other")
    entry = {"reader": "generic", "species": "/../../x"}
    values = {
        "datasets": {name: {**entry, "files": [f"{name}.csv"], "stores": {name: {"kind": kind}}} for name in names},
        "homogenize": {kind: list(names)},
    }
    cfg = configuration.validate(values)
    drawn = workflow.figures(cfg, configuration.load_registry(cfg, root))
    images = [image for figures in drawn.values() for image in figures.files(".png")]
    assert images
    for image in images:
        assert Path(image).resolve().parent == Path("results/report/figures").resolve()


def test_names_of_stores_cannot_leave_the_results_folder() -> None:
    entry = {"reader": "generic", "files": ["a.csv"], "stores": {"../x": {"kind": "activity"}}}
    with pytest.raises(ConfigError, match="no valid name"):
        configuration.validate({"datasets": {"mine": entry}})
