"""Stores of earlier versions of their schema: what they become on opening, or why they are refused."""

from collections.abc import Callable

import xarray as xr

from allometry.errors import StoreError
from allometry.stores.attributes import encoded
from allometry.stores.kinds.scores import with_verdicts
from allometry.stores.schema import Data, Schema

# Changes an opened store in place, or returns the reason why that cannot be done.
Step = Callable[[Data], str | None]


def _attributes_as_text(obj: Data) -> str | None:
    """Version 1 held mappings as they were; see `attributes`."""
    for node in obj.subtree if isinstance(obj, xr.DataTree) else (obj,):
        node.attrs = encoded(node.attrs)
        for variable in node.variables.values():
            variable.attrs = encoded(variable.attrs)
    return None


def _signs_of_worms(obj: Data) -> str | None:
    """Version 1 had +1 for neurons without a known transmitter, and for ALA, RIBL and RIBR, which have GABA."""
    if "sign" in obj.variables and obj.attrs.get("species") == "Caenorhabditis elegans":
        return "older than the rule that the sign of a neuron is 0 where nobody knows it"
    return _attributes_as_text(obj)


def _verdicts_empty(obj: Data) -> None:
    """Version 2 of Scores had no verdicts; see `kinds.scores.with_verdicts`."""
    assert isinstance(obj, xr.DataTree)
    obj.dataset = with_verdicts(obj.to_dataset(inherit=False))


# (kind, or "" for every kind; version that is left behind) -> the change in place, or the sentence that refuses.
STEPS: dict[tuple[str, int], Step | str] = {
    ("", 1): _attributes_as_text,
    ("connectome", 1): _signs_of_worms,
    ("scores", 2): _verdicts_empty,
}


def step_from(schema: Schema, version: int) -> Step | str | None:
    """Return what leads from a version of a kind to the next one, None if nothing does."""
    return STEPS.get((schema.kind, version), STEPS.get(("", version)))


def known(schema: Schema, version: object) -> bool:
    """Whether a store of this version can be opened, or refused with a reason."""
    return (
        type(version) is int
        and all(step_from(schema, old) for old in range(version, schema.version))
        and (1 <= version <= schema.version)
    )


def migrated(obj: Data, schema: Schema, version: int, where: str) -> Data:
    """Bring an opened store to the present version of its kind; its files stay as they are.

    Raises
    ------
    StoreError
        What the store means has changed, so that it must be built again.
    """
    for old in range(version, schema.version):
        step = step_from(schema, old)
        reason = step(obj) if callable(step) else step or "not known here"
        if reason is not None:
            raise StoreError(
                what=f"a {schema.name} store of version {version}, which is {reason}",
                where=where,
                expected=f"version {schema.version}",
                do="build it again with this version of Allometry, or open it with xarray.open_zarr",
            )
    if version != schema.version:
        obj.attrs["schema_version"] = schema.version
    return obj
