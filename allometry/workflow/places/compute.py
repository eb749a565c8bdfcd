"""Where studies of compute scaling lie, and what determines them."""

from typing import Any

from allometry.config import Config


def values(cfg: Config, name: str) -> dict[str, Any]:
    """What is configured, as plain values."""
    return cfg.scale.compute[name].model_dump(mode="json")


def scaled(name: str) -> list[str]:
    """Path of the store of a study, of its manifest and of its costs."""
    stem = f"results/scaled/compute/{name}"
    return [f"{stem}.zarr", f"{stem}.manifest.json", f"{stem}.costs.json"]
