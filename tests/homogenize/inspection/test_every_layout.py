"""What `inspect` says of every layout is what reads it: the printed configuration is run, on fixtures and on genuine files."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from allometry import config, homogenize, stores
from allometry.homogenize.inspection import configuration
from allometry.homogenize.inspection.examine import examine
from tests.homogenize import fixtures_connectomes
from tests.homogenize.fixtures import allen_neuropixels, allen_two_photon, measured, mouse, worms

WRITERS: dict[str, Any] = {
    **fixtures_connectomes.WRITERS,
    **{name: write for name, write in worms.WRITERS.items() if name != "uzel2022"},
    "uzel2022_activity": worms.WRITERS["uzel2022"],
    **measured.WRITERS,
    "mcateer_v1": mouse.write_mcateer,
    "allen_swdb2016": mouse.write_swdb,
    "allen_ecephys_tables": mouse.write_ecephys_tables,
    "allen_two_photon": lambda folder: allen_two_photon.write(folder / "501574836.nwb", repeats=2, images=3),
    "allen_neuropixels": lambda folder: allen_neuropixels.write(folder / "session_715093703.nwb"),
}
READER_OF = {**fixtures_connectomes.READER_OF, "kato2015_npz": "kato2015"}
GENUINE = {
    "celegans_activity/dag2023": ("dag2023",),
    "celegans_activity/kato2015": ("kato2015",),
    "celegans_activity/lanza2024": ("lanza2024",),
    "celegans_functional/randi2023": ("randi2023",),
    "celegans_functional/uzel2022": ("uzel2022",),
    "fly_mb_flywire783": ("flywire_mb",),
    "larva_winding2023": ("winding2023",),
    "mouse_oh2014": ("oh2014",),
    "mouse_v1_mcateer": ("mcateer_v1",),
    "macaque_markov2014": ("markov2014",),
    "allen_2p_swdb2016": ("allen_swdb2016",),
    "allen_ecephys_tables": ("allen_ecephys_tables",),
}


def run(text: str, folder: Path, root: Path) -> dict[str, Any]:
    """Make every store of a printed configuration, as the workflow does after the files were retrieved."""
    made = config.validate(yaml.safe_load(text))
    registry = config.load_registry(made, root)
    out = {}
    wanted = {name for names in made.homogenize.stores().values() for name in names}
    for title, entry in ((title, registry[title]) for title in made.datasets):
        raw = folder / "raw" / title
        raw.mkdir(parents=True)
        for file in entry["files"]:
            (raw / file["name"]).symlink_to(file["places"][0].removeprefix("file:"))
        for store in entry["stores"]:
            assert store in wanted
            path = folder / f"{store}.zarr"
            homogenize.run({"name": title, **entry}, store, raw, path)
            out[store] = stores.open(path)
    return out


@pytest.mark.parametrize("layout", sorted(WRITERS))
def test_a_fixture_is_recognised_and_the_printed_configuration_reads_it(
    layout: str, tmp_path: Path, root: Path
) -> None:
    (tmp_path / "files").mkdir()
    WRITERS[layout](tmp_path / "files")
    found = examine([tmp_path / "files"])
    assert {finding.reader for finding in found.findings} == {READER_OF.get(layout, layout)}
    assert not found.left
    assert all(found.tried[number] for number in range(len(found.findings)))
    assert run(configuration.text(found), tmp_path, root)


@pytest.mark.parametrize("folder", sorted(GENUINE))
def test_genuine_files_are_recognised_and_read(folder: str, mirror: Path, tmp_path: Path, root: Path) -> None:
    registry = config.load_registry(config.Config(), root)
    found = examine([mirror / folder])
    assert tuple(finding.reader for finding in found.findings) == GENUINE[folder]
    made = configuration.configuration(found, registry)
    entry = next(iter(made["datasets"].values()))
    known = registry[GENUINE[folder][0]]
    assert (entry["citation"], entry["licence"], entry["species"]) == tuple(
        known[key] for key in ("citation", "licence", "species")
    )
    assert run(configuration.text(found, registry), tmp_path, root)
