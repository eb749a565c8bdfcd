"""A comparison that names what nothing makes is refused when the configuration is read, with the names there are."""

from pathlib import Path
from typing import Any

import pytest

from allometry import config as configuration
from allometry.errors import ConfigError
from allometry.workflow import snakefile as workflow


@pytest.mark.parametrize(
    ("comparison", "message"),
    [
        (
            {"kind": "structure_function", "function": ["randi2023_wt"], "structure": ["cok2019"]},
            "cook2019_hermaphrodite",
        ),
        (
            {
                "kind": "propagation",
                "run": "wrong",
                "function": "randi2023_wt",
                "structure": ["cook2019_hermaphrodite"],
            },
            "no simulation run is called 'wrong'",
        ),
    ],
)
def test_unknown_names_are_refused(root: Path, comparison: dict[str, Any], message: str) -> None:
    cfg = configuration.validate({"compare": {"comparisons": {"x": comparison}}})
    with pytest.raises(ConfigError, match=message):
        workflow.check_names(cfg, configuration.load_registry(cfg, root))


@pytest.mark.parametrize("name", ["config.yaml", "config/full.yaml", "tests/config.yaml"])
def test_shipped_comparisons_read_what_is_configured(root: Path, name: str) -> None:
    cfg = configuration.load(root / name)
    made = {(kind, store) for kind, names in cfg.homogenize.stores().items() for store in names}
    for label, comparison in cfg.compare.comparisons.items():
        assert set(comparison.stores()) <= made, label
        assert bool(workflow.comparison_stores(cfg, label)) == (comparison.kind != "model_recovery"), label
    workflow.check_names(cfg, configuration.load_registry(cfg, root))
