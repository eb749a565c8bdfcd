"""What tests of the reader of NWB files read with."""

from pathlib import Path

from allometry import stores
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS

FOREIGN = Path(__file__).parents[1] / "fixtures" / "foreign"


def read(path, kind="spikes", species="", **options):
    files = {path.name: path} if isinstance(path, Path) else {one.name: one for one in path}
    store = READERS["nwb"](files, Source("mine", species), options, kind)
    assert stores.violations(store) == []
    return store


def derived(store, key=None):
    found = stores.attribute(store, "derived")
    return found if key is None else found[key]
