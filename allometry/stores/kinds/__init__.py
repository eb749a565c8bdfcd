"""The kinds of store, and validation of any of them."""

from allometry.errors import StoreError
from allometry.stores.kinds.activity import SCHEMA as ACTIVITY
from allometry.stores.kinds.clamp import SCHEMA as CLAMP
from allometry.stores.kinds.compute import SCHEMA as COMPUTE
from allometry.stores.kinds.connectome import SCHEMA as CONNECTOME
from allometry.stores.kinds.responses import SCHEMA as RESPONSES
from allometry.stores.kinds.scaling import SCHEMA as SCALING
from allometry.stores.kinds.scores import SCHEMA as SCORES
from allometry.stores.kinds.spikes import SCHEMA as SPIKES
from allometry.stores.kinds.stack import SCHEMA as STACK
from allometry.stores.schema import Data, Schema, require, schema_violations

KINDS: dict[str, Schema] = {
    schema.kind: schema for schema in (ACTIVITY, CONNECTOME, RESPONSES, SPIKES, SCORES, SCALING, COMPUTE, STACK, CLAMP)
}
BY_NAME: dict[str, Schema] = {schema.name: schema for schema in KINDS.values()}


def schema_of(obj: Data) -> Schema | None:
    """Return the schema that an object's `schema` attribute names.

    Parameters
    ----------
    obj : Dataset or DataTree

    Returns
    -------
    Schema or None
        None where the attribute is missing or names no kind of store.
    """
    return BY_NAME.get(str(obj.attrs.get("schema")))


def violations(obj: Data) -> list[str]:
    """Name everything in which an object departs from the schema that it claims.

    Parameters
    ----------
    obj : Dataset or DataTree

    Returns
    -------
    One line per violation, empty when the object is valid. Values are looked at only when the form is right.
    """
    schema = schema_of(obj)
    if schema is None:
        return [f"attribute schema: is {obj.attrs.get('schema')!r}, expected one of {sorted(BY_NAME)}"]
    return schema_violations(obj, schema)


def validate(obj: Data) -> None:
    """Refuse an object that departs from the schema that it claims.

    Parameters
    ----------
    obj : Dataset or DataTree

    Raises
    ------
    StoreError
        Names every violation.
    """
    schema = schema_of(obj)
    if schema is None:
        raise StoreError(
            what=violations(obj)[0],
            where=str(obj.attrs.get("title", "")),
            expected="an object made by one of the builders of allometry.stores",
            do="build it with stores.activity, connectome, responses, spikes_simulated, spikes_recorded, scores, scaling, compute or "
            "clamp",
        )
    require(obj, schema)
