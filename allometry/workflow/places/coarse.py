"""Where coarse-grained models lie, and what each of their jobs reads: for the rules of the scale stage."""

from typing import Any

from allometry.config import Config
from allometry.scale.coarse.jobs import PARTS, conditions


def settings(cfg: Config, name: str) -> dict[str, Any]:
    """What is configured of a model, as plain values."""
    return cfg.scale.coarse[name].model_dump(mode="json")


def settings_of(cfg: Config, name: str, part: str) -> dict[str, Any]:
    """What of it decides the observations of a part, and the tables: nothing of the other part."""
    return {key: value for key, value in settings(cfg, name).items() if key in ("reduction", "pixel_um", part)}


def observing(cfg: Config, name: str, seed: int) -> dict[str, Any]:
    """What of it decides the simulations of the network of a seed."""
    values = settings(cfg, name)
    part = next(key for key in PARTS if seed in values[key]["seeds"])
    return {"reduction": values["reduction"], part: {**values[part], "seeds": [seed]}}


def names(cfg: Config) -> str:
    """Expression for the names of all models; it matches nothing where there are none."""
    return "|".join(cfg.scale.coarse) or "(?!)"


def seeds(cfg: Config, name: str) -> list[int]:
    """Seeds of all networks that are simulated for a model."""
    return [seed for part in PARTS for seed in settings(cfg, name)[part]["seeds"]]


def observed(cfg: Config, name: str, seed: int) -> list[str]:
    """Spikes stores of the network of a seed, in the order of its conditions."""
    return [f"results/scaled/{name}/seed_{seed}/{key}.zarr" for key in conditions(settings(cfg, name), seed)]


def of_part(cfg: Config, name: str, part: str) -> list[str]:
    """Spikes stores of all networks of the training, or of the evaluation."""
    return [path for seed in settings(cfg, name)[part]["seeds"] for path in observed(cfg, name, seed)]


def by_seed(cfg: Config, name: str, part: str) -> dict[int, list[str]]:
    """The same by seed."""
    return {seed: observed(cfg, name, seed) for seed in settings(cfg, name)[part]["seeds"]}


def manifests(paths: list[str]) -> list[str]:
    """Manifests of stores."""
    return [path.removesuffix(".zarr") + ".manifest.json" for path in paths]


def made(name: str) -> list[str]:
    """Path of the Scores of a model and of its tables, and of their manifests."""
    stores = [f"results/scaled/{name}.zarr", f"results/scaled/{name}/tables.zarr"]
    return [path for pair in zip(stores, manifests(stores), strict=True) for path in pair]
