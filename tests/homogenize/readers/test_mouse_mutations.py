"""Damaged mouse recordings: a valid store or a clear error; oracle: the schema and the class of the error."""

import itertools
import shutil
from functools import partial

import numpy as np
import pytest

from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from tests.homogenize import mutations
from tests.homogenize.fixtures import allen_neuropixels, allen_two_photon, mouse


def two_photon(folder):
    path = folder / "501574836.nwb"
    session = "AB"[len(folder.name) % 2]
    allen_two_photon.write(path, session, cells=3, repeats=2, images=4)
    return {path.name: path}


def neuropixels(folder):
    path = folder / "session_715093703.nwb"
    allen_neuropixels.write(path, units=12, good=6, electrodes=12)
    return {path.name: path}


WRITERS = {
    "mcateer_v1": mouse.write_mcateer,
    "allen_ecephys_tables": mouse.write_ecephys_tables,
    "allen_swdb2016": mouse.write_swdb,
    "allen_two_photon": two_photon,
    "allen_neuropixels": neuropixels,
}
OPTIONS = {
    "allen_ecephys_tables": [{}],
    "mcateer_v1": [{}, {"lags": True}],
    "allen_swdb2016": [{}, {"sweeps": "printed"}, {"kind": "spikes"}],
    "allen_two_photon": [
        {},
        {"length_policy": "truncate"},
        {"kind": "activity"},
        {"lags": [-0.1, 0.3, 0.05], "stimuli": None},
        {"signal": "neuropil"},
    ],
    "allen_neuropixels": [{}, {"kind": "responses"}, {"kind": "responses", "lags": [-0.1, 0.3, 0.1]}],
}


def hits_a_string_heap(original, damaged):
    """Whether changed bytes lie in a global heap, where HDF5 keeps strings of variable length.

    libhdf5 2.0 loops forever over a heap entry of size zero; no reader can prevent that. Such damage is caught before, by the
    checksum of the retrieved file.
    """
    if len(original) != len(damaged) or not original.startswith(b"\x89HDF"):
        return False
    changed = np.flatnonzero(np.frombuffer(original, np.uint8) != np.frombuffer(damaged, np.uint8))
    at = original.find(b"GCOL\x01")
    while at >= 0:
        size = int.from_bytes(original[at + 8 : at + 16], "little")
        if ((changed >= at) & (changed < at + size)).any():
            return True
        at = original.find(b"GCOL\x01", at + 1)
    return False


def read(source, files, described, options):
    """Read as a store of a kind and with options would be."""
    return READERS[source](
        files, described, {key: value for key, value in options.items() if key != "kind"}, options.get("kind", "")
    )


def campaign(source, tmp_path, count, first_seed):
    """Outcomes of `count` mutations, with what the damage was where a reader misbehaved."""
    (tmp_path / "original").mkdir()
    files = WRITERS[source](tmp_path / "original")
    seen = {"store": 0}
    for seed in itertools.count(first_seed):
        if sum(seen.values()) == count:
            break
        rng = np.random.default_rng(seed)
        folder = tmp_path / str(seed)
        shutil.copytree(tmp_path / "original", folder)
        name = sorted(files)[int(rng.integers(len(files)))]
        what = mutations.mutate(folder / name, rng)
        if what.startswith("bytes") and hits_a_string_heap(files[name].read_bytes(), (folder / name).read_bytes()):
            continue
        options = OPTIONS[source][seed % len(OPTIONS[source])]
        described = Source(source, "Mus musculus", "c", "l", "layout-only", dict.fromkeys(files, ""))
        damaged = {name: folder / name for name in files}
        try:
            found = mutations.outcome(partial(read, source, damaged, described, options))
        except Exception as error:
            raise AssertionError(f"{source}, seed {seed}, {name}: {what}; {options}") from error
        seen[found] = seen.get(found, 0) + 1
        shutil.rmtree(folder)
    return seen


@pytest.mark.parametrize("source", sorted(WRITERS))
def test_undamaged_files_give_a_store_with_every_option(source, tmp_path):
    files = WRITERS[source](tmp_path)
    described = Source(source, "", "", "", "layout-only", dict.fromkeys(files, ""))
    for options in OPTIONS[source]:
        assert mutations.outcome(partial(read, source, files, described, options)) == "store"


@pytest.mark.parametrize("source", sorted(WRITERS))
def test_damaged_files_give_a_store_or_a_clear_error(source, tmp_path):
    assert sum(campaign(source, tmp_path, 12, 10_000).values()) == 12


@pytest.mark.slow
@pytest.mark.parametrize("source", sorted(WRITERS))
def test_200_mutations(source, tmp_path):
    seen = campaign(source, tmp_path, 200, 0)
    assert seen["store"] > 0  # not everything is refused ...
    assert len(seen) > 1  # ... and not everything is accepted
