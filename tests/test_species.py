"""Species that files name by the NCBI taxonomy."""

import pytest

from allometry import species


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("http://purl.obolibrary.org/obo/NCBITaxon_6239", "Caenorhabditis elegans"),
        ("NCBITaxon:10090", "Mus musculus"),
        ("NCBITaxon_07227 ", "Drosophila melanogaster"),
        ("https://www.ncbi.nlm.nih.gov/taxonomy/9544", "Macaca mulatta"),
        ("https://www.ncbi.nlm.nih.gov/Taxonomy/Browser/wwwtax.cgi?mode=Info&id=9606", "Homo sapiens"),
        ("Mus musculus", "Mus musculus"),
        ("http://purl.obolibrary.org/obo/NCBITaxon_37653", "http://purl.obolibrary.org/obo/NCBITaxon_37653"),
        ("10090", "10090"),
        ("", ""),
    ],
)
def test_an_entry_of_the_taxonomy_becomes_a_name_and_all_else_stays(said: str, expected: str) -> None:
    assert species.named(said) == expected


def test_a_number_is_not_taken_for_the_beginning_of_another() -> None:
    assert species.of_taxon("NCBITaxon_100900") is None
    assert species.of_taxon("NCBITaxon_6239x") is None
