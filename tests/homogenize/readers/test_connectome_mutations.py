"""Damaged connectome files: a valid store or a clear error, for every reader; oracle: the schema and the error's class."""

import shutil

import numpy as np
import pytest

from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from tests.homogenize import mutations, table_mutations
from tests.homogenize.fixtures_connectomes import READER_OF, WRITERS


def read(reader, files, described, options):
    """Read as a store of a kind and with options would be."""
    given = {key: value for key, value in options.items() if key != "kind"}
    return reader(files, described, given, options.get("kind", ""))


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    made = {}

    def get(source):
        if source not in made:
            folder = tmp_path_factory.mktemp(source)
            made[source] = (folder, *WRITERS[source](folder))
        return made[source]

    return get


def campaign(source, originals, tmp_path, seeds):
    folder, files, options = originals(source)
    reader, described = READERS[READER_OF.get(source, source)], Source(source, files=dict.fromkeys(files, "0" * 64))
    copy = tmp_path / "copy"
    seen = {}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        shutil.copytree(folder, copy)
        name = sorted(files)[int(rng.integers(len(files)))]
        what = table_mutations.mutate(copy / name, rng)
        try:
            found = mutations.outcome(lambda: read(reader, {n: copy / n for n in files}, described, options))
        except Exception as error:
            raise AssertionError(f"{source}, seed {seed}, {name}: {what}") from error
        seen[found] = seen.get(found, 0) + 1
        shutil.rmtree(copy)
    return seen


@pytest.mark.parametrize("source", sorted(WRITERS))
def test_damaged_files_give_a_store_or_a_clear_error(source, originals, tmp_path):
    seen = campaign(source, originals, tmp_path, range(10_000, 10_030))
    assert sum(seen.values()) == 30


@pytest.mark.slow
@pytest.mark.parametrize("source", sorted(WRITERS))
def test_300_mutations(source, originals, tmp_path):
    seen = campaign(source, originals, tmp_path, range(300))
    assert seen["store"] > 0  # not everything is refused ...
    assert seen["ReaderError"] > 0  # ... and not everything is accepted


@pytest.mark.parametrize("source", sorted(WRITERS))
def test_undamaged_fixture_is_read(source, originals):
    _, files, options = originals(source)
    reader, described = READERS[READER_OF.get(source, source)], Source(source, files=dict.fromkeys(files, "0" * 64))
    assert mutations.outcome(lambda: read(reader, files, described, options)) == "store"
