"""Damaged files: a valid store or a clear error, for every worm reader; oracle: the schema and the class of the error."""

import shutil

import numpy as np
import pytest

from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from tests.homogenize import mutations
from tests.homogenize.fixtures import measured, worms

WRITERS = {**worms.WRITERS, **measured.WRITERS}
READER_OF = {"uzel2022": "uzel2022_activity", "kato2015_npz": "kato2015"}


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Each source's fixture, written once."""
    made = {}

    def get(source):
        if source not in made:
            folder = tmp_path_factory.mktemp(source)
            made[source] = (folder, WRITERS[source](folder))
        return made[source]

    return get


def run(source, fixture, folder, options=None):
    files = {name: folder / name for name in fixture.files}
    described = Source(source, "Caenorhabditis elegans", "c", "l", "layout-only", dict.fromkeys(files, ""))
    reader = READERS[READER_OF.get(source, source)]
    return mutations.outcome(lambda: reader(files, described, dict(options or {})))


def campaign(source, originals, tmp_path, count, first_seed):
    original, fixture = originals(source)
    seen = {"store": 0}
    for seed in range(first_seed, first_seed + count):
        rng = np.random.default_rng(seed)
        folder = tmp_path / str(seed)
        shutil.copytree(original, folder)
        name = sorted(fixture.files)[int(rng.integers(len(fixture.files)))]
        what = mutations.mutate(folder / name, rng)
        options = {"length_policy": "truncate"} if seed % 3 == 0 else {}
        try:
            found = run(source, fixture, folder, options)
        except Exception as error:
            raise AssertionError(f"{source}, seed {seed}, {name}: {what}") from error
        seen[found] = seen.get(found, 0) + 1
        shutil.rmtree(folder)
    return seen


@pytest.mark.parametrize("source", sorted(WRITERS))
def test_damaged_files_give_a_store_or_a_clear_error(source, originals, tmp_path):
    seen = campaign(source, originals, tmp_path, 16, 10_000)
    assert sum(seen.values()) == 16


@pytest.mark.slow
@pytest.mark.parametrize("source", sorted(WRITERS))
def test_200_mutations(source, originals, tmp_path):
    seen = campaign(source, originals, tmp_path, 200, 0)
    assert seen["store"] > 0  # not everything is refused ...
    assert len(seen) > 1  # ... and not everything is accepted


@pytest.mark.parametrize("source", sorted(measured.WRITERS))
def test_undamaged_files_of_measured_layouts_are_read(source, originals, tmp_path):
    _, fixture = originals(source)
    reader = READERS[READER_OF.get(source, source)]
    described = Source(source, "Caenorhabditis elegans", "", "", "real", dict.fromkeys(fixture.files, ""))
    tree = reader(dict(fixture.files), described, {})
    natives = [tree[f"native/{name}"] for name in tree["recording"].values.tolist()]
    assert len(natives) == len(fixture.worms)
    for native, worm in zip(natives, fixture.worms):
        np.testing.assert_allclose(native["trace"].values, worm.trace, rtol=1e-6)
        np.testing.assert_allclose(native["time"].values, worm.time - worm.time[0], atol=1e-6)
        assert native["label_raw"].values.tolist() == worm.labels
