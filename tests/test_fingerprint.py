"""The fingerprint follows imports inside the package and ignores everything else."""

import shutil
from pathlib import Path

import pytest

from allometry import fingerprint as module


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package `allometry` of its own, with a chain of imports c -> b -> a and one module beside it."""
    root = tmp_path / "allometry"
    for folder in ("", "left", "right"):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "__init__.py").write_text("")
    (root / "base.py").write_text("A = 1\n")
    (root / "left" / "b.py").write_text("from allometry.base import A\nfrom os import path\n")
    (root / "left" / "c.py").write_text("from . import b\n")
    (root / "right" / "d.py").write_text("import allometry.left.b\n")
    (root / "right" / "table.csv").write_text("x\n")
    monkeypatch.setattr(module, "PACKAGE", root)
    _forget()
    yield root
    _forget()


def _forget() -> None:
    module._imports.cache_clear()
    module._sha256.cache_clear()


def _after(path: Path, text: str, *names: str) -> tuple[str, str]:
    before = module.fingerprint(*names)
    path.write_text(text)
    _forget()
    return before, module.fingerprint(*names)


@pytest.mark.parametrize("name", ["allometry.base", "allometry.left", "allometry.left.c", "allometry.right"])
def test_edit_of_an_imported_module_changes_the_fingerprint(package: Path, name: str) -> None:
    before, after = _after(package / "base.py", "A = 2\n", name)
    assert before != after


def test_edit_elsewhere_does_not_change_the_fingerprint(package: Path) -> None:
    before, after = _after(package / "right" / "d.py", "import allometry.left.c\n", "allometry.left")
    assert before == after


def test_data_files_of_a_package_count(package: Path) -> None:
    before, after = _after(package / "right" / "table.csv", "y\n", "allometry.right")
    assert before != after


def test_place_and_time_do_not_count(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = module.fingerprint("allometry.right")
    shutil.copytree(package, tmp_path / "elsewhere" / "allometry")
    monkeypatch.setattr(module, "PACKAGE", tmp_path / "elsewhere" / "allometry")
    _forget()
    assert module.fingerprint("allometry.right") == before


def test_unknown_module_is_refused(package: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"allometry\.middle"):
        module.fingerprint("allometry.middle")


def test_real_stages_share_the_stores() -> None:
    shared = {
        module.PACKAGE / "stores" / name for name in ("schema.py", "storage.py", "manifest.py", "kinds/spikes.py")
    }
    for stage in ("homogenize", "simulate", "compare", "report"):
        assert shared <= set(module.modules(f"allometry.{stage}")), stage
        assert not any("config" in path.parts for path in module.modules(f"allometry.{stage}")), stage


def test_no_stage_imports_another() -> None:
    stages = {"retrieve", "homogenize", "simulate", "compare", "report"}
    for stage in stages:
        reached = {path.relative_to(module.PACKAGE).parts[0] for path in module.modules(f"allometry.{stage}")}
        assert not (reached & stages) - {stage}, stage
