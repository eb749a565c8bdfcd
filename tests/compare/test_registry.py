"""Every record is complete, stands where the index says, and has a ceiling rule that is one."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from allometry.code import fingerprint
from allometry.compare.inference.ceilings import ceiled
from allometry.compare.kinds import KINDS, module_of
from allometry.compare.records import measures as records
from allometry.compare.records.measures import index
from allometry.compare.registry import MEASURES, find
from allometry.errors import ComparisonError, PluginError

TEXTS = {
    field: f"some_{field}" for field in ("name", "version", "inputs", "invariances", "use", "reference", "ceiling")
}


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that a test makes are gone after it."""
    for field in ("parts", "modules"):
        monkeypatch.setattr(records.RECORDS, field, dict(getattr(records.RECORDS, field)))


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_record_is_complete(name: str) -> None:
    entry = MEASURES[name]
    assert entry.name == name
    assert entry.module == f"allometry.compare.{index()[name]}"
    ceiled(0.5, 0.6, entry.ceiling)
    assert inspect.getdoc(entry.function)
    module = importlib.import_module(entry.function.__module__)
    assert getattr(module, entry.function.__name__) is entry.function


def test_unknown_measure_names_the_nearest() -> None:
    with pytest.raises(ComparisonError, match="crossnobis"):
        find("crosnobis")


@pytest.mark.parametrize(
    ("asked", "imported"),
    [("len(MEASURES)", set()), ("'cv2' in MEASURES", set()), ("MEASURES['cv2']", {"measures.spikes.train_statistics"})],
)
def test_a_look_at_measures_imports_no_others(asked: str, imported: set[str]) -> None:
    shown = (
        f"import sys; from allometry.compare.registry import MEASURES; {asked}; "
        "print(*(m for m in sys.modules if m.startswith(('allometry.compare.measures.', 'allometry.compare.kinds.'))))"
    )
    result = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    modules = {name.removeprefix("allometry.compare.") for name in result.stdout.split()}
    assert {name for name in modules if name.count(".") > 1} == imported


@pytest.mark.parametrize("kind", KINDS)
def test_records_of_the_rows_of_a_kind_are_imported_with_it(kind: str) -> None:
    """So that an edit of a record reruns the comparisons that have it, and no others."""
    covered = fingerprint.modules(module_of(kind))
    own = [path for path in covered if f"kinds/{kind}" in path.as_posix() and path.suffix == ".py"]
    texts = {
        node.value
        for path in own
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    # model recovery also quotes names, of the measures that it stands for
    named = {name for name in texts & set(MEASURES) if kind != "model_recovery" or name.startswith("recovery_")}
    assert named
    for name in named:
        assert Path(str(importlib.import_module(MEASURES[name].module).__file__)) in covered, name


@pytest.mark.usefixtures("apart")
def test_a_taken_name_is_refused() -> None:
    def other() -> float:
        return 0.0

    assert find("cv2")
    with pytest.raises(PluginError, match=r"'cv2' already[\s\S]*train_statistics"):
        records.measure(**{**TEXTS, "name": "cv2"})(other)
    assert records.measure(**TEXTS)(other) is other
    assert records.RECORDS["some_name"].family == "tests"


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("field", sorted(TEXTS))
def test_an_empty_field_is_refused(field: str) -> None:
    with pytest.raises(PluginError, match=f"has no {field}"):
        records.measure(**{**TEXTS, field: ""})(len)


def test_influence_measures_name_what_the_workflow_computes_them_with() -> None:
    for name in (name for name in MEASURES if name.startswith("influence_")):
        kinds = (
            "propagation.comparison"
            if name in ("influence_auc_indirect", "influence_auc_gain")
            else "structure_function"
        )
        used = vars(importlib.import_module(f"allometry.compare.kinds.{kinds}"))
        function = MEASURES[name].function
        assert used.get(function.__name__) is function, name


def test_documentation_lists_every_kind_of_comparison(root: Path) -> None:
    text = (root / "docs/comparisons.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(KINDS)
