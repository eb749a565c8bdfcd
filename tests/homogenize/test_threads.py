"""Recordings are read by as many threads as the rule has, and the store does not depend on their number."""

import threading
import time

import numpy as np
import pytest

from allometry import homogenize
from allometry.homogenize.traces import activity
from allometry.stores.storage.manifest import read_manifest


@pytest.fixture
def entry(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(6):
        trace = rng.normal(size=(300 + number, 3))
        np.savez(
            tmp_path / f"w{number}.npz", traces=trace, time=np.arange(len(trace)) * 0.5, labels=["AVAL", "", "RID"]
        )
    return {
        "name": "worms",
        "reader": "generic",
        "species": "Caenorhabditis elegans",
        "verified": "real",
        "files": [{"name": f"w{number}.npz", "sha256": "0" * 64} for number in range(6)],
        "stores": {"worms": {"kind": "activity"}},
    }


def test_threads_are_those_of_the_rule_and_do_not_change_the_store(entry, tmp_path, monkeypatch):
    lock, running, most = threading.Lock(), [0], {}
    meeting = {threads: threading.Barrier(threads, timeout=120) for threads in (1, 3)}
    one = activity._one

    def watched(*arguments):
        with lock:
            running[0] += 1
            most[threads] = max(most.get(threads, 0), running[0])
        meeting[threads].wait()  # as many as may be are here at the same time, however slowly they start
        time.sleep(0.05)  # for one too many to come
        try:
            return one(*arguments)
        finally:
            with lock:
                running[0] -= 1

    monkeypatch.setattr(activity, "_one", watched)
    contents = []
    for threads in (1, 3):
        out = tmp_path / f"t{threads}.zarr"
        homogenize.run(entry, "worms", tmp_path, out, threads=threads)
        contents.append(read_manifest(out)["content"])
    assert most == {1: 1, 3: 3}
    assert contents[0] == contents[1]
