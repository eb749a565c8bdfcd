"""NetCDF-4: any store, groups included; what `xarray.open_dataset` and `xarray.open_datatree` read is what was stored."""

from pathlib import Path

import xarray as xr

from allometry.export.contents import plain
from allometry.stores.schema import Data, parts


def write(obj: Data, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    """Write a store as one NetCDF-4 file (HDF5), numbers compressed.

    Parameters
    ----------
    obj : Dataset or DataTree
    out : Path
        File to write.
    name : str
        Name of the store; not used.

    Returns
    -------
    dict, list of str
        What the file holds, counted; what is left out (nothing).
    """
    root, groups = parts(obj)
    tree = xr.DataTree.from_dict({"/": _writable(root), **{f"/{path}": _writable(ds) for path, ds in groups.items()}})
    encoding = {
        node.path: {
            str(key): {"zlib": True, "complevel": 1}
            for key, variable in node.to_dataset(inherit=False).variables.items()
            if variable.dtype.kind in "biuf" and variable.ndim and variable.size
        }
        for node in tree.subtree
    }
    if len(encoding) > 1:
        tree.to_netcdf(out, engine="h5netcdf", encoding=encoding)
    else:
        tree.to_dataset().to_netcdf(out, engine="h5netcdf", encoding=encoding["/"])
    count = len(root.variables) + sum(len(group.variables) for group in groups.values())
    return {"variables": count, **({"groups": len(groups)} if groups else {})}, []


def _writable(ds: xr.Dataset) -> xr.Dataset:
    """The dataset without the encoding of Zarr, its text as Python strings."""
    out = ds.drop_encoding()
    for name in list(out.variables):
        variable = out.variables[name]
        values = plain(variable.values)
        if values is not variable.values:
            replaced = (variable.dims, values, variable.attrs)
            out = out.assign_coords({name: replaced}) if name in out.coords else out.assign({name: replaced})
    return out
