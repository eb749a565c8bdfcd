"""An open NWB 2 file: its tree, the types of its objects with those of its extensions, and what it says about the session."""

import contextlib
import json
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from allometry.errors import ReaderError
from allometry.homogenize import mistaken
from allometry.homogenize.formats.neurodata import hdf5_tree, zarr_tree
from allometry.homogenize.formats.neurodata.tree import Array, Group, Node, array, group, text, walk
from allometry.species import named

BASES = {
    "AbstractFeatureSeries": "TimeSeries",
    "AnnotationSeries": "TimeSeries",
    "CurrentClampSeries": "PatchClampSeries",
    "CurrentClampStimulusSeries": "PatchClampSeries",
    "DecompositionSeries": "TimeSeries",
    "ElectricalSeries": "TimeSeries",
    "ElectrodesTable": "DynamicTable",
    "IZeroClampSeries": "CurrentClampSeries",
    "ImageMaskSeries": "ImageSeries",
    "ImageSeries": "TimeSeries",
    "IndexSeries": "TimeSeries",
    "IntervalSeries": "TimeSeries",
    "OnePhotonSeries": "ImageSeries",
    "OpticalSeries": "ImageSeries",
    "OptogeneticSeries": "TimeSeries",
    "PatchClampSeries": "TimeSeries",
    "PlaneSegmentation": "DynamicTable",
    "RoiResponseSeries": "TimeSeries",
    "SpatialSeries": "TimeSeries",
    "SpikeEventSeries": "ElectricalSeries",
    "TimeIntervals": "DynamicTable",
    "TwoPhotonSeries": "ImageSeries",
    "Units": "DynamicTable",
    "VoltageClampSeries": "PatchClampSeries",
    "VoltageClampStimulusSeries": "PatchClampSeries",
}
"""Types of the core that stand for others; the schema of NWB 2. Those of extensions are described in the file itself."""

ABOUT = ("session_id", "lab", "institution", "experimenter", "protocol", "session_description", "identifier")
SUBJECT = ("subject_id", "species", "age", "sex", "genotype", "strain", "growth_stage")


@dataclass
class Session:
    """One file.

    Parameters
    ----------
    root : Group
        Top of its tree.
    path : Path
        Where it is.
    read : set of str
        Paths that were read; what lies below them counts as read too.
    """

    root: Group
    path: Path
    read: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Name of the file without its endings."""
        name = self.path.name
        for ending in (".zip", ".nwb", ".h5", ".hdf5", ".zarr", ".nwb"):
            name = name.removesuffix(ending)
        return name or self.path.name

    @cached_property
    def types(self) -> Mapping[str, str]:
        """Type to the type that it extends, extensions included."""
        found: dict[str, str] = {}
        specifications = group(self.root, "specifications")
        for node in walk(specifications) if specifications is not None else ():
            namespace = node.path.split("/")[1] if node.path.count("/") > 1 else ""
            if not isinstance(node, Array) or namespace in ("core", "hdmf-common", "hdmf-experimental"):
                continue
            with contextlib.suppress(ReaderError, ValueError, TypeError, AttributeError, RecursionError):
                _definitions(json.loads(str(node.values().ravel()[0])), found)
        return {**found, **BASES}

    @cached_property
    def nodes(self) -> list[Node]:
        """Every object of the file, once."""
        return list(walk(self.root))

    def is_a(self, node: Node | None, kind: str) -> bool:
        """Whether an object is of a type, or of one that extends it."""
        found = str(node.attrs.get("neurodata_type", "")) if node is not None else ""
        for _ in range(30):
            if found == kind:
                return True
            found = self.types.get(found, "")
        return False

    def all_of(self, kind: str) -> list[Group]:
        """Groups of a type, in the order of their paths."""
        return [node for node in self.nodes if not isinstance(node, Array) and self.is_a(node, kind)]

    def mark(self, node: Node | str) -> None:
        """Record that something was read, with all below it."""
        self.read.add(node if isinstance(node, str) else node.path)

    def about(self) -> dict[str, str]:
        """What the file says about session and subject, as far as it says it."""
        out = {name: text(self.root, name) or text(self.root, f"general/{name}") for name in ABOUT}
        out |= {name: text(self.root, f"general/subject/{name}") for name in SUBJECT}
        out["session_start_time"] = text(self.root, "session_start_time")
        out["species"] = named(out["species"])
        out["nwb_version"] = str(self.root.attrs.get("nwb_version", ""))
        return {name: value for name, value in out.items() if value}

    def unread(self, most: int = 100) -> list[str]:
        """What has values and was not read: paths, each with its type or shape.

        Parameters
        ----------
        most : int
            Number of paths that are listed; the last one then says how many more there are.
        """
        above = {path.rsplit("/", count)[0] for path in self.read for count in range(1, path.count("/") + 1)}
        out: list[str] = []
        told: set[str] = set()
        for node in self.nodes:
            path = node.path
            if _within(path, PLAIN) or _within(path, self.read) or _within(path, told):
                continue
            typed = str(node.attrs.get("neurodata_type", ""))
            if isinstance(node, Array):
                if "/" in path and node.shape not in ((), (1,)):
                    out.append(f"{path} {typed or node.dtype} {'x'.join(map(str, node.shape))}".strip())
                continue
            out += [
                f"{path}/{name} (in another file, or damaged)".lstrip("/")
                for name in node.names()
                if node.get(name) is None
            ]
            if typed in ABOUT_IT:
                told.add(path)
            elif typed not in ("", "ProcessingModule") and path not in above:
                told.add(path)
                if node.names():
                    out.append(f"{path} ({typed})")
        return out if len(out) <= most else [*out[: most - 1], f"and {len(out) - most + 1} more"]


PLAIN = frozenset({"specifications", "general/subject", "general/devices", "general/extracellular_ephys/electrodes"})
ABOUT_IT = frozenset(
    {"Device", "DeviceModel", "ElectrodeGroup", "ImagingPlane", "ImagingVolume", "OpticalChannel", "Subject"}
)
"""What is about the session, or is read with the units."""


def _within(path: str, those: Collection[str]) -> bool:
    parts = path.split("/")
    return any("/".join(parts[: count + 1]) in those for count in range(len(parts)))


def _definitions(spec: Any, found: dict[str, str]) -> None:
    if isinstance(spec, list):
        for part in spec:
            _definitions(part, found)
    elif isinstance(spec, dict):
        if isinstance(spec.get("neurodata_type_def"), str):
            found[spec["neurodata_type_def"]] = str(spec.get("neurodata_type_inc", ""))
        for part in spec.values():
            if isinstance(part, list | dict):
                _definitions(part, found)


def is_zarr(path: Path) -> bool:
    """Whether it is a folder, or an archive of one."""
    return path.is_dir() or (path.is_file() and zipfile.is_zipfile(path))


def tree_of(path: Path) -> contextlib.AbstractContextManager[Group]:
    """Open the tree of a file, HDF5 or Zarr; it can be read inside the context.

    Raises
    ------
    ReaderError
        It is missing or damaged.
    """
    return zarr_tree.open_tree(path) if is_zarr(path) else hdf5_tree.open_tree(path)


@contextlib.contextmanager
def open_session(path: Path) -> Iterator[Session]:
    """Open a file; it can be read inside the context.

    Raises
    ------
    ReaderError
        It is missing, damaged, or no NWB 2 file.
    """
    if path.is_file():
        mistaken.refuse(path)
    with tree_of(path) as root:
        version = root.attrs.get("nwb_version") or text(root, "nwb_version")
        if str(version).startswith(("NWB-1", "1.0")) and array(root, "nwb_version") is not None:
            raise ReaderError(
                "this is an NWB 1 file",
                where=path.name,
                expected="NWB 2",
                do="two-photon sessions of the Brain Observatory are read by allen_two_photon",
            )
        if not version and not {"processing", "units", "acquisition", "intervals"} & set(root.names()):
            raise ReaderError(
                f"this is no NWB file: it has {', '.join(root.names()[:8]) or 'nothing'}",
                where=path.name,
                expected="the attribute nwb_version",
                do="read it with the reader `generic`, or one for its layout",
            )
        yield Session(root, path)


def plane_of(session: Session, table: Group | None) -> Group | None:
    """Imaging plane of a table of ROIs."""
    if table is None:
        return None
    for name in ("imaging_plane", "imaging_volume", "planar_imaging_space", "volumetric_imaging_space"):
        found = group(table, name)
        if found is not None:
            return found
    planes = session.all_of("ImagingPlane")
    return planes[0] if len(planes) == 1 else None
