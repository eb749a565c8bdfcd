"""The fingerprint follows what code reaches inside the package, and ignores everything else."""

import shutil
from pathlib import Path

import pytest

from allometry.code import fingerprint as module

STAGES = ("retrieve", "homogenize", "simulate", "scale", "compare", "report")

FILES = {
    "__init__.py": "",
    "base.py": 'A = 1\n\n\ndef double(x):\n    """Twice."""\n    return 2 * x\n\n\ndef unused(x):\n    return x\n',
    "left/__init__.py": "from allometry.left.b import work\n",
    "left/b.py": "from allometry import base\nfrom os import path\n\n\ndef work(x):\n    return base.double(x)\n",
    "left/c.py": "from . import b\n\n\ndef more(x):\n    return b.work(x) + 1\n",
    "left/other.py": "def work(x):\n    return x\n",
    "right/__init__.py": "",
    "right/d.py": "import allometry.left.b\n\n\ndef far(x):\n    return allometry.left.b.work(x)\n",
    "right/late.py": "def late(x):\n    from allometry.left import work as do\n\n    return do(x)\n",
    "right/hidden.py": "def hidden(double):\n    work = double\n    return [base for base in work]\n",
    "right/tables.py": "def load(name):\n    return open(name)\n\n\ndef worms():\n    return load('table.csv')\n",
    "right/table.csv": "x\n",
    "right/told.py": "def told(x, model):\n    return model(x, description='One.', size=3)\n",
    "compare/__init__.py": "",
    "compare/records/__init__.py": "",
    "compare/records/index.json": '{"cv": "trains", "rate": "trains"}',
    "compare/trains.py": "from allometry.base import A\n\n\n@measure(name='cv', use='how regular?')\ndef cv(x):\n    return x\n\n\n"
    "@measure(name='rate', use='how many?')\ndef rate(x):\n    return x\n",
    "compare/kind.py": "from allometry.compare import trains\n\n\ndef kind(x):\n    return {'cv': x}\n",
    "compare/quoting.py": "def quoting(x):\n    return {'cv': x}\n",
    "config.py": "A = 1\n",
    "effect.py": "import os\n\nos.environ.setdefault('X', '1')\n\n\ndef f():\n    return 1\n",
    "user.py": "from allometry.effect import f\nfrom allometry.config import A\n\n\ndef g():\n    return f() + A\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package `allometry` of its own."""
    root = tmp_path / "allometry"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(module, "PACKAGE", root)
    module.forget()
    return root


@pytest.fixture(autouse=True)
def _forgotten() -> object:
    yield
    module.forget()


def changes(path: Path, old: str, new: str, *roots: str | Path) -> bool:
    """Whether an edit of a file changes the fingerprint."""
    before = module.fingerprint(*roots)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new) if old else text + new)
    module.forget()
    return module.fingerprint(*roots) != before


@pytest.mark.parametrize(
    "root",
    [
        "allometry.left.b",
        "allometry.left.c",
        "allometry.left",
        "allometry.right.d",
        "allometry.right.late",
        "allometry.right",
    ],
)
def test_an_edit_of_what_is_reached_counts(package: Path, root: str) -> None:
    assert changes(package / "base.py", "2 * x", "x + x", root)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("base.py", "return x\n", "return x + 1\n"),  # of a function that nobody calls
        ("base.py", "A = 1", "A = 2"),
        ("base.py", "", "\n\ndef another():\n    return 1\n"),
        ("base.py", "Twice.", "Two times."),
        ("base.py", '    """Twice."""\n', ""),
        ("base.py", "return 2 * x", "return (2  *  x)  # doubled"),
        ("left/other.py", "return x", "return 2"),
        ("left/__init__.py", "", "from allometry.left.other import work as other\n"),
        ("config.py", "1", "2"),
    ],
)
def test_an_edit_of_anything_else_does_not(package: Path, name: str, old: str, new: str) -> None:
    assert not changes(package / name, old, new, "allometry.left.c", "allometry.right.late")


def test_a_new_module_does_not_count_beside_those_that_are_named(package: Path) -> None:
    before = module.fingerprint("allometry.left.c")
    (package / "left" / "new.py").write_text("B = 1\n")
    module.forget()
    assert module.fingerprint("allometry.left.c") == before


def test_a_package_stands_for_all_that_is_in_it(package: Path) -> None:
    before = module.fingerprint("allometry.left")
    (package / "left" / "new.py").write_text("B = 1\n")
    module.forget()
    assert module.fingerprint("allometry.left") != before
    assert changes(package / "right/table.csv", "x", "y", "allometry.right")


def test_names_that_a_function_binds_itself_are_no_names_of_the_module(package: Path) -> None:
    (package / "right/hidden.py").write_text("from allometry.base import double\n" + FILES["right/hidden.py"])
    assert not changes(package / "base.py", "2 * x", "3 * x", "allometry.right.told")
    found = module._package(package)
    reached = module._Reach(found, [])
    reached._reach(found.at(package / "right/hidden.py"), ("hidden",))
    while reached._pending:
        reached._follow(*reached._pending.pop())
    assert [package / "right/hidden.py"] == [one.path for one, _ in reached.counted]


def test_help_texts_do_not_count_and_values_do(package: Path) -> None:
    assert not changes(package / "right/told.py", "One.", "Another.", "allometry.right.told")
    assert changes(package / "right/told.py", "size=3", "size=4", "allometry.right.told")


def test_a_data_file_counts_for_what_names_it(package: Path) -> None:
    assert changes(package / "right/table.csv", "x", "y", "allometry.right.tables")
    assert not changes(package / "right/table.csv", "y", "z", "allometry.right.d")


def test_the_record_of_a_measure_counts_for_what_names_it(package: Path) -> None:
    assert not changes(package / "compare/trains.py", "how many?", "how often?", "allometry.compare.kind")
    assert not changes(package / "compare/trains.py", "how regular?", "how even?", "allometry.compare.quoting")
    assert changes(package / "compare/trains.py", "how even?", "how regular?", "allometry.compare.kind")
    index = package / "compare/records/index.json"
    assert not changes(index, "}", ', "new": "trains"}', "allometry.compare.kind")


def test_what_runs_on_import_counts(package: Path) -> None:
    assert changes(package / "effect.py", "'1'", "'2'", "allometry.user")


def test_a_script_and_the_files_of_a_plugin_count_as_they_are(package: Path, tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "job.py"
    script.parent.mkdir()
    script.write_text(
        '"""Do it."""\n\nfrom allometry.left.b import work\n\nif __name__ == "__main__":\n    work(snakemake.input)\n'
    )
    data = tmp_path / "my_lab" / "table.txt"
    data.parent.mkdir()
    data.write_text("1")
    roots = (script, data)
    assert changes(script, "snakemake.input", "snakemake.input[0]", *roots)
    assert not changes(script, "Do it.", "Do it now.", *roots)
    assert changes(package / "base.py", "2 * x", "x + x", *roots)
    assert changes(data, "1", "2", *roots)


def test_place_and_time_do_not_count(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = module.fingerprint("allometry.right")
    shutil.copytree(package, tmp_path / "elsewhere" / "allometry")
    monkeypatch.setattr(module, "PACKAGE", tmp_path / "elsewhere" / "allometry")
    assert module.fingerprint("allometry.right") == before


def test_unknown_module_is_refused(package: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"allometry\.middle"):
        module.fingerprint("allometry.middle")


@pytest.fixture(scope="module")
def real() -> dict[str, list[Path]]:
    """Modules of the package itself that each stage reaches."""
    return {stage: module.modules(f"allometry.{stage}") for stage in STAGES}


def test_real_stages_share_the_stores(real: dict[str, list[Path]]) -> None:
    shared = {module.PACKAGE / "stores" / name for name in ("schema.py", "storage/store.py", "storage/manifest.py")}
    for stage in set(STAGES) - {"retrieve"}:
        assert shared <= set(real[stage]), stage
        assert not any("config" in path.parts for path in real[stage]), stage


def test_no_stage_reaches_another(real: dict[str, list[Path]]) -> None:
    stages = set(STAGES) - {"scale"}
    for stage in stages:
        reached = {path.relative_to(module.PACKAGE).parts[0] for path in real[stage]}
        assert not (reached & stages) - {stage}, stage
