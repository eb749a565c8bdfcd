"""Curves of simulated propagation: areas by weight, ROC curves and nulls of all points."""

from typing import Any

import numpy as np
import xarray as xr

from allometry.compare.inference.statistics import Interval
from allometry.compare.inputs.atlas import ROC_GRID
from allometry.compare.kinds.propagation.candidate import Candidate
from allometry.compare.measures.graphs.matrices import Floats
from allometry.compare.result import curve


class Summary:
    """Curves of all points, gathered one by one."""

    def __init__(self) -> None:
        self.points: list[tuple[Candidate, Interval, Interval]] = []
        self.predictor: list[str] = []
        self.connectome: list[str] = []
        self.true_positive: list[Floats] = []
        self.null_of: list[str] = []
        self.null: list[Floats] = []
        self.area: dict[str, dict[str, float]] = {}

    def baseline(self, connectome: str, area: dict[str, float], shapes: dict[str, Any], rewired: Floats) -> None:
        """Predictors that need no simulation."""
        self.area[connectome] = area
        for group, shape in shapes.items():
            self._shape(group, connectome, shape)
        self.null_of.append(f"{connectome}: weight")
        self.null.append(rewired)

    def point(self, point: Candidate, area: Interval, gain: Interval, null: Floats, shape: Any) -> None:
        """One simulated point."""
        self.points.append((point, area, gain))
        self._shape(point.name, point.connectome, shape)
        self.null_of.append(point.name)
        self.null.append(null)

    def _shape(self, predictor: str, connectome: str, shape: Any) -> None:
        self.predictor.append(predictor)
        self.connectome.append(connectome)
        self.true_positive.append(np.interp(ROC_GRID, shape.false_positive, shape.true_positive))

    def datasets(self) -> dict[str, xr.Dataset]:
        """Curves by name."""
        order = sorted(self.points, key=lambda entry: (entry[0].connectome, entry[0].gap_junction, entry[0].weight_mv))
        coords = {
            "candidate": ("point", [point.name for point, _, _ in order]),
            "connectome": ("point", [point.connectome for point, _, _ in order]),
            "weight_mv": ("point", np.array([point.weight_mv for point, _, _ in order]), {"units": "mV"}),
            "gap_junction": ("point", np.array([point.gap_junction for point, _, _ in order]), {"units": "1"}),
        }
        by_weight = curve(
            ("point",),
            coords,
            auc=[area.estimate for _, area, _ in order],
            ci_low=[area.low for _, area, _ in order],
            ci_high=[area.high for _, area, _ in order],
            gain=[gain.estimate for _, _, gain in order],
            gain_low=[gain.low for _, _, gain in order],
            gain_high=[gain.high for _, _, gain in order],
            **{
                f"auc_{group}": [self.area[point.connectome][group] for point, _, _ in order]
                for group in ("weight", "path_length", "degree")
            },
        )
        names = {
            "predictor": ("predictor", self.predictor),
            "connectome": ("predictor", self.connectome),
            "false_positive": ("false_positive", ROC_GRID),
        }
        longest = max(len(null) for null in self.null)
        padded = [np.pad(null, (0, longest - len(null)), constant_values=np.nan) for null in self.null]
        return {
            "influence_auc_by_weight": by_weight,
            "influence_roc": curve(("predictor", "false_positive"), names, true_positive=self.true_positive),
            "influence_auc_null": curve(("candidate", "draw"), {"candidate": ("candidate", self.null_of)}, auc=padded),
        }
