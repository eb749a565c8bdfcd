"""The documentation page of the kinds of store, from their schemas."""

from collections.abc import Mapping

from allometry.stores.kinds import KINDS
from allometry.stores.schema import ROOT_ATTRS, SCHEMA_VERSION, Variable

HEADER = """\
# Stores

Generated from `allometry/stores` by `python -m allometry.generate`.

Everything that passes between stages is a Zarr (format 3) store that plain `xarray.open_zarr`, or `xarray.open_datatree(path,
engine="zarr")` where it has groups, opens without a warning. Beside each store lies `NAME.manifest.json` with the sha256 of
every object in it and the provenance of the run that wrote it. `allometry verify PATH...` finds a changed byte, a missing chunk
and an extra object; `allometry diff A B` compares content; `allometry info STORE` prints one screen for a person. A chunk edited
by hand is found by `verify`, not by Snakemake. Every chunk ends with its crc32c, and `stores.open` gives arrays whose reading
raises a `StoreError` where a chunk is damaged.

Attributes are text and numbers. Mappings, lists, booleans and nothing stand as JSON text, so that `ds.to_netcdf(path,
engine="h5netcdf")` works on every store; `allometry.stores.attribute(ds, "parameters")` reads them back. The attribute
`schema_version` says which version of this page a store follows; a store of an earlier one is brought to the present one when
`stores.open` opens it, or refused with the reason, and its files stay as they are.

To open a store without a warning, xarray 2025.4 and zarr 3.1.1 are enough; zarr 3.0 opens it too, and warns once for each
variable of text. To write one, to keep its text as such when it is read lazily (`chunks={}`), and to send it to netCDF,
Allometry asks for xarray 2026.9 and zarr 3.1.5, with which that is tested.
"""


def documentation() -> str:
    """Page with a table of variables and attributes per kind of store."""
    named = ", ".join(f"`{name}`" for name in ROOT_ATTRS)
    out = [
        HEADER,
        f"Root attributes of every store: {named}. Schema version: {SCHEMA_VERSION} where a kind says no other.",
    ]
    for schema in KINDS.values():
        version = "" if schema.version == SCHEMA_VERSION else f" Schema version {schema.version}."
        out += ["", f"## {schema.name}", "", f"{schema.doc}{version}", "", *_table(schema.variables)]
        if schema.attrs:
            out += ["", "Further attributes: " + ", ".join(f"`{name}`" for name in schema.attrs) + "."]
        for group, variables in schema.groups.items():
            body = _table(variables) if variables else ["Their variables depend on what they describe."]
            out += ["", f"### Groups `/{group}/...` of {schema.name}", "", *body]
    return "\n".join(out) + "\n"


def _table(variables: Mapping[str, Variable]) -> list[str]:
    lines = ["| variable | dimensions | type | units | meaning |", "|---|---|---|---|---|"]
    for name, variable in variables.items():
        dims = ", ".join([*variable.dims, *(f"[{dim}]" for dim in variable.optional_dims)])
        units = {"*": "any", None: ""}.get(variable.units, variable.units)
        optional = " (optional)" if variable.optional else ""
        lines.append(f"| `{name}`{optional} | {dims} | {variable.dtype} | {units} | {variable.doc} |")
    return lines
