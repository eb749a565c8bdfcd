"""White et al. 1986: the first connectome, as re-annotated tables (NemaNode): whole worm, and the series N2U, JSH, JSE.

Layout: tab-separated text with columns `pre`, `post`, `type`, `synapses` (whole, N2U adult head, JSH L4 head) or JSON (JSE
adult tail, chemical synapses only, some pairs in several entries). Gap junctions are listed one way.
"""

from pathlib import Path
from typing import Any

import xarray as xr

from allometry.homogenize.connectomes.worm_edges import worm_connectome
from allometry.homogenize.formats.nemanode import COLUMNS, read_edges
from allometry.homogenize.look import Files, Finding, store_per_file
from allometry.homogenize.options import text
from allometry.homogenize.reader import Reader, Source, named_file

_KEYS = ("pre", "post", "typ", "syn")
_SERIES = {
    "whole": "whole animal, assembled from several series",
    "n2u": "series N2U, head of an adult",
    "jsh": "series JSH, head of an L4 larva",
    "jse": "series JSE, tail of an adult",
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one series."""
    path = named_file(files, options["file"], source.name)
    series = next((text for key, text in _SERIES.items() if key in path.stem.lower()), path.stem)
    return worm_connectome(
        read_edges(path),
        title=f"Connectome of C. elegans, White et al. 1986, {series}",
        source=source,
        used={path.name: path},
        where=path.name,
        parameters={"file": path.name, "series": series},
        derived={
            "counts": "the paper gives about 5000 chemical synapses, 2000 neuromuscular junctions and 600 gap junctions of "
            "the whole animal; here a polyadic synapse counts once for each postsynaptic partner, which makes the sum "
            "larger. Gap junctions are listed one way; each pair gives two directed edges here, a junction of a cell "
            "with itself one; the table does not say how its 971 junctions (whole) were counted against the paper's 600",
            "series": series,
        },
    )


def recognise(files: Files) -> list[Finding]:
    """Text tables and JSON lists with the columns of NemaNode."""
    listed = [path for path in files.paths if files.peek(path).form == "json" and files.peek(path).has("", *_KEYS)]
    what = "edge list of C. elegans in the layout of NemaNode (as of White et al. 1986)"
    return store_per_file(
        what, sorted([*files.tables(*COLUMNS), *listed]), "connectome", species="Caenorhabditis elegans"
    )


OPTIONS = {"file": text(None, "Name of the file to read, where the source has several.")}
READER = Reader("white1986", ("connectome",), read, OPTIONS, recognise=recognise)
