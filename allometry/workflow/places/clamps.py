"""Cells under clamp: where their stores lie, and what may be configured."""

from allometry.config import Config
from allometry.errors import ConfigError, SimulationError
from allometry.models.cells import cell_model, changed
from allometry.pathnames import EXPECTED, is_name, nearest_name


def clamped(name: str) -> list[str]:
    """Path of the store of a clamp and of its manifest."""
    return [f"results/simulated/{name}.clamp.zarr", f"results/simulated/{name}.clamp.manifest.json"]


def drawn(cfg: Config) -> list[tuple[str, str, str]]:
    """Name, function and store of the figure of each clamp."""
    return [(f"simulated_clamp_{name}", "clamp", clamped(name)[0]) for name in cfg.simulate.clamps]


def check_clamps(cfg: Config) -> None:
    """Refuse clamps of cells and channels that do not exist.

    Raises
    ------
    ConfigError
        A name that is none; a model, cell, channel or parameter that does not exist; a value out of range.
    """
    for name, entry in cfg.simulate.clamps.items():
        where = f"simulate.clamps.{name}"
        for key, label in [(where, name), *((f"{where}.knockouts", one) for one in entry.knockouts)]:
            if not is_name(label):
                raise ConfigError(
                    f"{label!r} is no valid name", where=key, expected=EXPECTED, do=f"write {nearest_name(label)!r}"
                )
        try:
            model = cell_model(entry.model)
            for cell in entry.cells:
                for removed in ([], *entry.knockouts.values()):
                    changed(model.cell(cell), removed, entry.parameters)
        except SimulationError as error:
            raise ConfigError(
                error.what, where=f"{where}.{error.where}", expected=error.expected, do=error.do
            ) from None
