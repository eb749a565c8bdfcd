"""Damaged recordings in common formats: a valid store or a clear error; oracle: the schema and the class of the error."""

import itertools
import json
import shutil
import zipfile
from functools import partial

import numpy as np
import pytest

from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from tests.homogenize import mutations
from tests.homogenize.fixtures import calcium, nwb_sessions, sortings
from tests.homogenize.readers.nwb import FOREIGN
from tests.homogenize.readers.test_generic_tables import frame, head, lines
from tests.homogenize.readers.test_mouse_mutations import hits_a_string_heap


def nwb(folder):
    path = nwb_sessions.write(folder / "s1.nwb")
    return {path.name: path}


def nwb_zarr(folder):
    with zipfile.ZipFile(FOREIGN / "hdmf_zarr.nwb.zarr.zip") as archive:
        archive.extractall(folder)
    return {"s1.nwb.zarr": folder / "s1.nwb.zarr"}


def phy(folder):
    return sortings.write_phy(folder)


def sonata(folder):
    return {"s.h5": sortings.write_sonata(folder / "s.h5", several=True)}


def sorting_folder(folder):
    with zipfile.ZipFile(FOREIGN / "spikeinterface_folder.zip") as archive:
        archive.extractall(folder)
    flat = {}
    for path in sorted((folder / "sorting").rglob("*")):
        if path.is_file() and path.stat().st_size > 2:
            flat[path.name] = path.rename(folder / path.name)
    return flat


def sorting_npz(folder):
    shutil.copy(FOREIGN / "spikeinterface.npz", folder)
    return {"spikeinterface.npz": folder / "spikeinterface.npz"}


def spike_lists(folder):
    time, unit = sortings.events()
    np.savez(folder / "b.npz", i=unit, t=time)
    (folder / "units.csv").write_text("unit,area,x\n3,V1,1.5\n12,V1,\n7,V2,4\n")
    return {"a.csv": sortings.write_csv(folder / "a.csv"), "b.npz": folder / "b.npz", "units.csv": folder / "units.csv"}


def neo_text(folder):
    lines = ["\t".join(f"{time:.4f}" for time in sortings.train(unit)) for unit in sortings.UNITS]
    (folder / "a.txt").write_text("\n".join(lines) + "\n")
    return {"a.txt": folder / "a.txt"}


def suite2p(folder):
    return calcium.write_suite2p(folder)


def caiman(folder):
    return {"a.hdf5": calcium.write_caiman(folder / "a.hdf5")}


def table(folder):
    names = [head(";"), "s;mV;mV;mV", *lines(";", True)]
    (folder / "a.csv").write_text("\n".join(names) + "\n")
    return {"a.csv": folder / "a.csv"}


def parquet(folder):
    frame().to_parquet(folder / "a.parquet")
    return {"a.parquet": folder / "a.parquet"}


KINDS = [
    {},
    {"kind": "activity"},
    {"kind": "responses"},
    {"kind": "responses", "response": "traces", "intervals": "trials", "lags": [-0.2, 0.4, 0.2]},
    {"kind": "activity", "series": "lfp_series", "rate_hz": 20.0},
    {"kind": "responses", "intervals": "all"},
]
# name of the case: reader, writer of its files, options that are tried in turn
CASES = {
    "nwb": ("nwb", nwb, KINDS),
    "nwb_zarr": ("nwb", nwb_zarr, KINDS),
    "suite2p": ("suite2p", suite2p, [{}, {"signal": "deconvolved", "cells": "all"}, {"min_probability": 0.8}]),
    "caiman": ("caiman", caiman, [{}, {"signal": "raw", "cells": "all"}, {"signal": "deconvolved"}]),
    "table": ("generic", table, [{"unit_row": True}, {"unit_row": True, "neurons": "rois"}]),
    "parquet": ("generic", parquet, [{}]),
    "phy": ("phy", phy, [{}, {"keep": {"group": "good"}}, {"at_least": {"Amplitude": 8}}]),
    "sonata_spikes": ("sonata_spikes", sonata, [{}, {"populations": "cortex"}]),
    "spikeinterface": ("spikeinterface", sorting_folder, [{}]),
    "spikeinterface_npz": ("spikeinterface", sorting_npz, [{}]),
    "generic_spikes": ("generic_spikes", spike_lists, [{"units_file": "units.csv"}]),
    "neo_spikes": ("neo_spikes", neo_text, [{"io": "AsciiSpikeTrainIO"}]),
}


def damage(path, rng):
    """Damage a file, or one of those in a folder, the metadata of a Zarr store among them."""
    if not path.is_dir():
        return mutations.mutate(path, rng)
    inside = sorted(one for one in path.rglob("*") if one.is_file() and "specifications" not in one.parts)
    chosen = inside[int(rng.integers(len(inside)))]
    if chosen.name.startswith(".z") and rng.random() < 0.8:
        tree = json.loads(chosen.read_text())
        key = sorted(tree)[int(rng.integers(len(tree)))]
        values = [None, [], {}, -1, "text", [1, 2], 1e300, True]
        tree[key] = values[int(rng.integers(len(values)))]
        chosen.write_text(json.dumps(tree))
        return f"{chosen.relative_to(path)}: {key} = {tree[key]!r}"
    if rng.random() < 0.3:
        chosen.unlink()
        return f"{chosen.relative_to(path)}: deleted"
    return f"{chosen.relative_to(path)}: {mutations.mutate(chosen, rng) if chosen.stat().st_size else 'empty'}"


def read(reader, files, options):
    described = Source("mine", "", "c", "l", "layout-only", dict.fromkeys(files, ""))
    plain = {key: value for key, value in options.items() if key != "kind"}
    return READERS[reader](files, described, plain, options.get("kind", ""))


def campaign(case, tmp_path, count, first_seed):
    """Outcomes of `count` mutations, with what the damage was where a reader misbehaved."""
    reader, write, variants = CASES[case]
    (tmp_path / "original").mkdir()
    files = write(tmp_path / "original")
    seen = {"store": 0}
    for seed in itertools.count(first_seed):
        if sum(seen.values()) == count:
            return seen
        rng = np.random.default_rng(seed)
        folder = tmp_path / str(seed)
        shutil.copytree(tmp_path / "original", folder)
        name = sorted(files)[int(rng.integers(len(files)))]
        what = damage(folder / name, rng)
        plain = files[name].is_file() and what.startswith("bytes")
        if plain and hits_a_string_heap(files[name].read_bytes(), (folder / name).read_bytes()):
            continue
        options = variants[seed % len(variants)]
        try:
            found = mutations.outcome(partial(read, reader, {name: folder / name for name in files}, options))
        except Exception as error:
            raise AssertionError(f"{case}, seed {seed}, {name}: {what}; {options}") from error
        seen[found] = seen.get(found, 0) + 1
        shutil.rmtree(folder)
    raise AssertionError("seeds do not end")


@pytest.mark.parametrize("case", sorted(CASES))
def test_undamaged_files_give_a_store_with_every_option(case, tmp_path):
    reader, write, variants = CASES[case]
    files = write(tmp_path)
    for options in variants:
        assert mutations.outcome(partial(read, reader, files, options)) == "store", options


@pytest.mark.parametrize("case", sorted(CASES))
def test_damaged_files_give_a_store_or_a_clear_error(case, tmp_path):
    assert sum(campaign(case, tmp_path, 12, 10_000).values()) == 12


@pytest.mark.slow
@pytest.mark.parametrize("case", sorted(CASES))
def test_200_mutations(case, tmp_path):
    seen = campaign(case, tmp_path, 200, 0)
    assert seen["store"] > 0  # not everything is refused ...
    assert len(seen) > 1  # ... and not everything is accepted
