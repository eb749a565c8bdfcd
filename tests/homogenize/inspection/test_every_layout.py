"""What `inspect` says of every layout is what reads it: the printed configuration is run, on fixtures and on genuine files."""

import csv
import gzip
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from allometry import config, homogenize, stores
from allometry.homogenize.inspection import configuration
from allometry.homogenize.inspection.examine import examine
from allometry.homogenize.readers import READERS
from allometry.retrieve.packing import pack
from tests.homogenize import fixtures_connectomes
from tests.homogenize.fixtures import (
    allen_neuropixels,
    allen_two_photon,
    calcium,
    foreign,
    measured,
    mouse,
    nwb_sessions,
    sortings,
    worms,
)

FOREIGN = Path(str(foreign.__file__)).parent


def unpacked(name: str, folder: Path) -> None:
    (folder / name).write_bytes(gzip.decompress((FOREIGN / f"{name}.gz").read_bytes()))


def sorting_folder(folder: Path) -> None:
    with zipfile.ZipFile(FOREIGN / "spikeinterface_folder.zip") as archive:
        archive.extractall(folder)


def zarr_folder(folder: Path) -> None:
    with zipfile.ZipFile(FOREIGN / "hdmf_zarr.nwb.zarr.zip") as archive:
        archive.extractall(folder)


def nest(folder: Path) -> None:
    """Two files, as the threads of one recorder write them."""
    for thread in (0, 1):
        shutil.copy(FOREIGN / f"nest_times_{thread}.dat", folder / f"spikes-5-{thread}.dat")


def spike_table(folder: Path) -> None:
    with (folder / "spikes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("neuron_id", "spike_time"), *((i % 3, i * 0.01) for i in range(40))])


def spike_arrays(folder: Path) -> None:
    np.savez(folder / "spikes.npz", t_ms=np.arange(50.0), cell=np.arange(50) % 4, x=np.zeros(4))


WRITERS: dict[str, Any] = {
    "phy": sortings.write_phy,
    "phy_archive": lambda folder: zipped(folder, sortings.write_phy),
    "suite2p": calcium.write_suite2p,
    "suite2p_planes": lambda folder: [calcium.write_suite2p(folder / f"plane{n}", n) for n in (0, 1)],
    "caiman": lambda folder: calcium.write_caiman(folder / "cnmf.hdf5"),
    "sonata_spikes": lambda folder: sortings.write_sonata(folder / "spikes.h5", several=True),
    "spikeinterface_npz": lambda folder: shutil.copy(FOREIGN / "spikeinterface.npz", folder),
    "spikeinterface_archive": lambda folder: shutil.copy(FOREIGN / "spikeinterface_folder.zip", folder),
    "spikeinterface_folder": sorting_folder,
    "generic_spikes_nest": nest,
    "generic_spikes_csv": spike_table,
    "generic_spikes_npz": spike_arrays,
    "nwb": lambda folder: nwb_sessions.write(folder / "session.nwb"),
    "nwb_neuroconv": lambda folder: unpacked("neuroconv.nwb", folder),
    "nwb_zarr": lambda folder: shutil.copy(FOREIGN / "hdmf_zarr.nwb.zarr.zip", folder),
    "nwb_folder": zarr_folder,
    "nejatbakhsh2020_ndx": lambda folder: unpacked("worm.nwb", folder),
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
READER_OF |= {name: "_".join(name.split("_")[:-1]) for name in WRITERS if name.endswith(("_archive", "_planes", "_folder", "_nest", "_csv", "_npz", "_neuroconv", "_zarr", "_ndx")) and name not in READER_OF}  # fmt: skip


def zipped(folder: Path, write: Any) -> None:
    write(folder / "inside")
    shutil.make_archive(str(folder / "all"), "zip", folder / "inside")
    shutil.rmtree(folder / "inside")


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_reader_says_what_is_its_own(name: str) -> None:
    assert READERS[name].recognise is not None


NOT_READ = {"amplitudes.npy", "F_chan2.npy", "annotations.json", "si_folder.json"}
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
            place = Path(file["places"][0].removeprefix("file:"))
            if place.is_dir():
                with (raw / file["name"]).open("wb") as packed:
                    pack(place, packed)
            else:
                (raw / file["name"]).symlink_to(place)
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
    assert {path.name for path in found.left} <= NOT_READ
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
