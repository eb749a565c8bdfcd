"""Species by their number in the NCBI taxonomy, which files and archives give in place of a name."""

import re

_TAXON = re.compile(r"NCBITaxon[_:]0*(\d+)$|taxonomy[/:]0*(\d+)$|Browser/wwwtax\.cgi\?.*\bid=0*(\d+)", re.IGNORECASE)
TAXA = {
    "6239": "Caenorhabditis elegans",
    "7227": "Drosophila melanogaster",
    "7955": "Danio rerio",
    "9483": "Callithrix jacchus",
    "9541": "Macaca fascicularis",
    "9544": "Macaca mulatta",
    "9606": "Homo sapiens",
    "9669": "Mustela putorius furo",
    "9685": "Felis catus",
    "10090": "Mus musculus",
    "10116": "Rattus norvegicus",
    "59729": "Taeniopygia guttata",
}


def of_taxon(said: str) -> str | None:
    """Name of the species that an entry of the NCBI taxonomy stands for.

    Parameters
    ----------
    said : str
        Such as `http://purl.obolibrary.org/obo/NCBITaxon_10090`.

    Returns
    -------
    str or None
        None for what is no such entry, or one of a species that is not known here.
    """
    found = _TAXON.search(said.strip())
    return TAXA.get(next(filter(None, found.groups()))) if found else None


def named(said: str) -> str:
    """What a file says about its species, an entry of the NCBI taxonomy as the name; all else stays as it is."""
    return of_taxon(said) or said
