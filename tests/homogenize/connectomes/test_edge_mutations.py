"""Damaged files of every form of edges and matrices: a valid store or a clear error, of the reader and of `inspect`."""

import contextlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from allometry.errors import AllometryError
from allometry.homogenize.inspection.examine import examine
from tests.homogenize import mutations, table_mutations
from tests.homogenize.connectomes.edges import read, rows
from tests.homogenize.connectomes.test_edge_forms import FORMS, MATRICES
from tests.homogenize.connectomes.test_edge_layouts import codex

COLUMNS = {"source": "pre", "target": "post", "weight": "n"}
CASES = {**{f"edges, {name}": case for name, case in FORMS.items()}, **{f"matrix, {name}": case for name, case in MATRICES.items()}}  # fmt: skip


def campaign(case: str, folder: Path, seeds: range) -> Counter[str]:
    """What becomes of a file damaged in as many ways as there are seeds."""
    name, write, own = CASES[case]
    options = {"form": "matrix", **own} if case.startswith("matrix") else {**COLUMNS, **own}
    write(folder / name, rows())
    whole = (folder / name).read_bytes()
    seen: Counter[str] = Counter()
    for seed in seeds:
        (folder / name).write_bytes(whole)
        rng = np.random.default_rng(seed)
        what = table_mutations.mutate(folder / name, rng)
        try:
            seen[mutations.outcome(lambda: read(folder / name, **options))] += 1
            looked(folder / name)
        except Exception as error:
            raise AssertionError(f"{case}, seed {seed}: {what}") from error
    return seen


def looked(path: Path) -> None:
    with contextlib.suppress(AllometryError):
        examine([path], read=False)


@pytest.mark.parametrize("case", sorted(CASES))
def test_damaged_files_give_a_store_or_a_clear_error(case: str, tmp_path: Path) -> None:
    assert campaign(case, tmp_path, range(10_000, 10_012)).total() == 12


@pytest.mark.slow
@pytest.mark.parametrize("case", sorted(CASES))
def test_200_mutations(case: str, tmp_path: Path) -> None:
    seen = campaign(case, tmp_path, range(200))
    assert seen["store"] > 0
    assert seen["ReaderError"] > 0


@pytest.mark.parametrize("seed", range(8))
def test_damaged_tables_of_a_published_layout(seed: int, tmp_path: Path) -> None:
    files = codex(tmp_path)
    rng = np.random.default_rng(seed)
    damaged = files[seed % len(files)]
    data = bytearray(damaged.read_bytes())
    data[int(rng.integers(20, len(data)))] ^= 0xFF
    damaged.write_bytes(bytes(data))
    options = {"layout": "codex", "file": files[0].name, "nodes_file": [path.name for path in files[1:]]}
    assert mutations.outcome(lambda: read(*files, **options)) in ("store", "ReaderError", "StoreError")
