"""Files that are generated from the code, so that they cannot disagree with it; a test fails when one is out of step."""

from pathlib import Path

from allometry.generate import (
    architecture,
    commands,
    configuration,
    datasets,
    environment,
    interface,
    measures,
    models,
    readers,
    store_kinds,
)

ROOT = Path(__file__).resolve().parents[2]


def with_plugins() -> dict[str, str]:
    """Text of the generated files that also describe parts of imported plugins, by path."""
    return {
        "config/schema.json": configuration.schema(),
        "config/default.yaml": configuration.default_file(),
        "docs/configuration.md": configuration.documentation(),
        "docs/measures.md": measures.documentation(),
        "docs/readers.md": readers.documentation(),
        "docs/models.md": models.documentation(),
    }


def derived() -> dict[str, str]:
    """Text of every generated file, by path from the root of the checkout."""
    return {
        **with_plugins(),
        "docs/cli.md": commands.documentation(),
        "docs/stores.md": store_kinds.documentation(),
        "docs/datasets.md": datasets.documentation(ROOT),
        **interface.documentation(),
        "allometry/compare/records/index.json": measures.index(),
        "allometry/compare/__init__.pyi": measures.public(),
        "docs/architecture.md": architecture.documentation(ROOT),
        "docs/images/architecture.svg": architecture.drawing(ROOT),
        "envs/allometry.yaml": environment.conda_file(ROOT),
    }
