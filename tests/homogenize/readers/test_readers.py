"""The listing of readers; oracle: what each module itself says, and the registry."""

import subprocess
import sys

import pytest

from allometry.homogenize.readers import NAMES, READERS
from tests.homogenize.connectome_sources import REGISTRY


@pytest.mark.parametrize("name", NAMES)
def test_every_reader_is_the_module_of_its_name(name):
    assert READERS[name].name == name
    assert callable(READERS[name].read)


def test_the_registry_names_readers_that_exist_and_kinds_that_they_make():
    for source, entry in REGISTRY.items():
        if not entry.get("stores"):
            continue
        assert entry["reader"] in READERS, source
        for store, values in entry["stores"].items():
            assert values["kind"] in READERS[entry["reader"]].kinds, store


def test_importing_the_stage_imports_no_reader():
    script = (
        "import sys, allometry.homogenize\n"
        "from allometry.homogenize.readers import NAMES\n"
        "print([name for name in NAMES if f'allometry.homogenize.readers.{name}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
