"""Code of the jobs of each rule: that of what the job does by name, and of nothing beside it; oracle: what is imported."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from allometry import config, plugins
from allometry.code import fingerprint
from allometry.compare.kinds import KINDS, module_of
from allometry.homogenize.readers import NAMES
from allometry.models.catalogue.records import MODELS
from allometry.workflow import code

SCRIPTS = code.SCRIPTS


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    yield
    plugins.forget()


def reached(*roots: str | Path) -> set[str]:
    """Modules of the package of which something counts, by their place in it."""
    found = (path for path in fingerprint.modules(*roots) if path.is_relative_to(fingerprint.PACKAGE))
    return {path.relative_to(fingerprint.PACKAGE).as_posix() for path in found}


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_reaches_no_other(name: str) -> None:
    found = reached(SCRIPTS / "homogenize_store.py", f"allometry.homogenize.readers.{name}")
    others = {path for path in found if path.startswith("homogenize/readers/")} - {
        "homogenize/readers/__init__.py",
        f"homogenize/readers/{name}.py",
    }
    # its layers are those of the tables of the same laboratory
    assert others == ({"homogenize/readers/allen_ecephys_tables.py"} if name == "allen_neuropixels" else set())
    assert {"homogenize/__init__.py", "homogenize/reader.py", "stores/storage/store.py"} <= found


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_comparison_reaches_no_other(kind: str) -> None:
    found = reached(SCRIPTS / "compare_run.py", module_of(kind))
    kinds = {path.split("/")[2].removesuffix(".py") for path in found if path.startswith("compare/kinds/")}
    assert kinds == {"__init__", kind}
    assert "compare/runner.py" in found


@pytest.mark.parametrize("model", ["brunel", "microcircuit"])
def test_a_model_reaches_no_other(model: str) -> None:
    found = reached(SCRIPTS / "simulate_point.py", MODELS[model].build.__module__)
    assert not {f"models/{other}.py" for other in ("brunel", "microcircuit")} - {f"models/{model}.py"} & found
    assert {f"models/{model}.py", "simulate/kernels/loop/advance.py", "simulate/kernels/rng.py"} <= found


SHOWN = """
import sys
{imports}
print(*sorted({{module.__file__ for name, module in sys.modules.items() if name.startswith("allometry.") and module.__file__}}))
"""


@pytest.mark.parametrize(
    ("root", "imports"),
    [
        ("allometry.homogenize.readers.kato2015", "import allometry.homogenize.readers.kato2015"),
        ("allometry.compare.kinds.structure_bold", "import allometry.compare.kinds.structure_bold"),
        ("allometry.simulate.runner", "import allometry.simulate.runner"),
    ],
)
def test_what_is_imported_is_looked_at(root: str, imports: str) -> None:
    """Whatever runs on import counts, so that no module that Python loads may be missed."""
    done = subprocess.run(
        [sys.executable, "-c", SHOWN.format(imports=imports)], capture_output=True, text=True, check=True
    )
    loaded = {path for path in map(Path, done.stdout.split()) if fingerprint.counts(path)}
    missed = loaded - set(fingerprint.imported(root))
    # of the root and of the loader of plugins, which decide no number
    floor = {"hints.py", "module_places.py", "pathnames.py", "processes.py"}
    assert {path.relative_to(fingerprint.PACKAGE).as_posix() for path in missed} <= floor


def test_the_source_of_a_plugin_counts(tmp_path: Path, root: Path) -> None:
    (tmp_path / "lab").mkdir()
    source = tmp_path / "lab" / "traces.py"
    source.write_text(
        "from allometry.homogenize.reader import reader\n\n\n"
        "@reader(kinds=('spikes',))\ndef probe(files, source, options):\n    return None\n"
    )
    values = {
        "plugins": ["lab"],
        "datasets": {"mine": {"reader": "probe", "files": ["/a.csv"], "stores": {"mine": {"kind": "spikes"}}}},
    }
    cfg = config.validate(values, folders=[tmp_path])
    registry = config.load_registry(cfg, root)
    before, beside = code.of_reader(registry, "mine"), code.of_reader(registry, "kato2015")
    source.write_text(source.read_text() + "# a comment\n")
    fingerprint.forget()
    assert code.of_reader(registry, "mine") == before
    source.write_text(source.read_text().replace("return None", "return 0"))
    fingerprint.forget()
    edited = code.of_reader(registry, "mine")
    assert edited != before
    (tmp_path / "lab" / "constants.txt").write_text("1")
    fingerprint.forget()
    assert code.of_reader(registry, "mine") not in (before, edited)
    assert code.of_reader(registry, "kato2015") == beside
