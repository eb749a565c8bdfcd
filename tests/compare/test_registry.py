"""Every entry is complete, points to a function that exists, and has a ceiling rule that is one."""

import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from allometry.compare.inference.statistics import ceiled
from allometry.compare.kinds import KINDS
from allometry.compare.registry import MEASURES, measure
from allometry.errors import ComparisonError


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_entry_is_complete_and_loads(name: str) -> None:
    entry = MEASURES[name]
    assert all(getattr(entry, field) for field in entry.__dataclass_fields__)
    ceiled(0.5, 0.6, entry.ceiling_rule)
    if importlib.util.find_spec(f"allometry.compare.{entry.module}") is None:
        pytest.fail(f"no module {entry.module}")
    function = entry.load()
    assert callable(function)
    assert inspect.getdoc(function)


def test_unknown_measure_names_the_nearest() -> None:
    with pytest.raises(ComparisonError, match="crossnobis"):
        measure("crosnobis")


def test_registry_does_not_import_the_families() -> None:
    shown = (
        "import sys, allometry.compare.registry; print([m for m in sys.modules if m.startswith('allometry.compare.')])"
    )
    result = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['allometry.compare.registry']"


def test_influence_measures_name_what_the_workflow_computes_them_with() -> None:
    for name in (name for name in MEASURES if name.startswith("influence_")):
        kinds = (
            "propagation.comparison"
            if name in ("influence_auc_indirect", "influence_auc_gain")
            else "structure_function"
        )
        used = vars(importlib.import_module(f"allometry.compare.kinds.{kinds}"))
        assert used.get(MEASURES[name].function) is MEASURES[name].load(), name


def test_documentation_lists_every_kind_of_comparison(root: Path) -> None:
    text = (root / "docs/comparisons.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(KINDS)
