"""The way out to other tools: stores in the formats that those read.

`export` writes a store as NWB, NetCDF, CSV, Parquet, GraphML or SONATA; what the format cannot hold, it lists.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from allometry import stores
from allometry.errors import ExportError
from allometry.export.staging import Exported, staged
from allometry.files import writing
from allometry.hints import hint
from allometry.stores.kinds import KINDS
from allometry.stores.schema import Data

__all__ = ["FORMATS", "Exported", "Format", "export"]

Write = Callable[[Data, Path, str], tuple[dict[str, int], list[str]]]


@dataclass(frozen=True)
class Format:
    """A format.

    Parameters
    ----------
    writer : str
        Module of this package and function in it, `module:function`.
    suffixes : tuple of str
        What the name of a file of it ends with.
    kinds : tuple of str
        Kinds of store that it can hold.
    doc : str
        One line.
    """

    writer: str
    suffixes: tuple[str, ...]
    kinds: tuple[str, ...]
    doc: str

    @property
    def write(self) -> Write:
        """The function that writes a file."""
        module, _, name = self.writer.partition(":")
        function: Write = getattr(import_module(f"{__name__}.{module}"), name)
        return function


_ALL = tuple(KINDS)
#: By name, as `allometry export --to` has it.
FORMATS = {
    "nwb": Format("nwb:write", (".nwb",), ("activity", "spikes", "responses"), "Neurodata Without Borders 2"),
    "netcdf": Format("netcdf:write", (".nc", ".nc4", ".netcdf"), _ALL, "NetCDF-4, all variables and attributes"),
    "csv": Format("tables:write_csv", (".csv",), _ALL, "tables of text, and what their columns are in JSON"),
    "parquet": Format("tables:write_parquet", (".parquet", ".pq"), _ALL, "tables in columns, and JSON beside them"),
    "graphml": Format("graphml:write", (".graphml",), ("connectome",), "graph in XML (Gephi, Cytoscape, igraph)"),
    "sonata": Format("sonata:write", (".h5", ".hdf5"), ("connectome", "spikes"), "circuits and spikes in HDF5 (BMTK)"),
}


def export(store: str | Path, to: str, out: str | Path) -> Exported:
    """Write a store in the format of another tool.

    Parameters
    ----------
    store : path
        The store.
    to : str
        Name of the format: `nwb`, `netcdf`, `csv`, `parquet`, `graphml` or `sonata`.
    out : path
        File to write. What belongs to it and needs files of its own stands beside it, as `NAME.PART.SUFFIX`.

    Returns
    -------
    Exported
        The files, what they hold, and what of the store the format cannot hold.

    Raises
    ------
    ExportError
        There is no such format, it cannot hold this kind of store, or the file is there already.
    StoreError
        The store cannot be opened.
    """
    if to not in FORMATS:
        raise ExportError(
            f"there is no format {to!r}", where="--to", expected=f"one of {', '.join(FORMATS)}", do=hint(to, FORMATS)
        )
    store, out, form = Path(store), Path(out), FORMATS[to]
    obj = stores.open(store)
    kind = str(obj.attrs["schema"]).lower()
    if kind not in form.kinds:
        able = [name for name, other in FORMATS.items() if kind in other.kinds]
        raise ExportError(
            f"{to} cannot hold a store of kind {kind}",
            where=str(store),
            expected=f"for {kind} one of {', '.join(able)}; {to} holds {', '.join(form.kinds)}",
            do=f"for example --to {able[0]}",
        )
    if out.suffix.lower() not in form.suffixes:
        raise ExportError(
            f"the name does not say that the file is {to}",
            where=f"--out {out}",
            expected=f"a name that ends in {' or '.join(form.suffixes)}",
            do=f"for example --out {out.with_suffix(form.suffixes[0])}",
        )
    with writing(out, ExportError), staged(out) as (partial, moved):
        holds, left_out = form.write(obj, partial, store.name.removesuffix(".zarr"))
    return Exported(tuple(moved), holds, tuple(left_out))
