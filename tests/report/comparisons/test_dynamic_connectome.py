"""Figure of motifs: every store has its panels, and its numbers in the caption."""

from pathlib import Path

import xarray as xr
from matplotlib.axes import Axes

from allometry.compare.kinds.dynamic_connectome.comparison import dynamic_connectome
from tests.compare.kinds.dynamic_connectome.test_comparison import recordings
from tests.report.samples import draw_result, title


def test_motifs_of_every_store_are_drawn(tmp_path: Path, panels: list[Axes]) -> None:
    inputs: dict[str, xr.Dataset | xr.DataTree] = {"one": recordings(True, 1), "two": recordings(False, 2)}
    result = dynamic_connectome(
        inputs, activity=["one", "two"], ranks=[1, 2, 3], restarts=2, nulls=2, smooth_s=1.0, bin_s=5.0
    )
    text = draw_result("dynamic_connectome", result, tmp_path)
    titles = [title(ax) for ax in panels]
    for name in ("one", "two"):
        assert f"{name}\nNumber of motifs" in titles
        explained = next(
            row["score"] for row in result.rows if row["measure"] == "ntf_explained" and row["reference"] == name
        )
        assert f"{explained:.3f} of the affinities" in text
    shown = [title for title in titles if title.startswith("motif ")]
    count = [result.curves[f"motifs_{name}"].sizes["motif"] for name in ("one", "two")]
    assert len(shown) == sum(min(4, n) for n in count)
