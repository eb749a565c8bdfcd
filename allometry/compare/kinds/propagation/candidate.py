"""One simulated point of signal propagation, as its store holds it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import xarray as xr

from allometry import stores
from allometry.compare.inference.progress import steps
from allometry.compare.inputs.atlas import Atlas
from allometry.compare.measures.graphs.matrices import Floats
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class Candidate:
    """One simulated point: peak depolarisation [driven, responding], mV, NaN where not simulated.

    `gap_junction` is the conductance of one gap junction over the leak conductance; `rewirings` counts the rewired
    connectomes whose responses the store holds.
    """

    name: str
    connectome: str
    weight_mv: float
    gap_junction: float
    labels: list[str]
    response: Floats
    store: xr.Dataset

    @classmethod
    def open(cls, name: str, store: xr.Dataset, structure: Sequence[str]) -> "Candidate":
        """Read a point; its parameters say what was simulated."""
        given = stores.attribute(store, "parameters", {})
        if "functional" not in stores.attribute(store, "absent_means", {}) or "weight_mv" not in given:
            raise ComparisonError(
                "this is no store of simulated signal propagation",
                where=name,
                expected="functional edges, and weight_mv among its parameters",
                do="name a run of kind `propagation`",
            )
        connectome = str(given.get("connectome") or structure[0])
        if connectome not in structure:
            raise ComparisonError(
                f"the run simulates {connectome}, which is not among the comparison's structure",
                where=name,
                expected=", ".join(structure),
                do="add it to `structure`, which gives the direct-weight predictor",
            )
        labels, response = stores.to_dense(store, "functional")
        return cls(
            name,
            connectome,
            float(given["weight_mv"]),
            float(given.get("gap_junction") or 0.0),
            labels.tolist(),
            response.astype(float),
            store,
        )

    @property
    def rewirings(self) -> int:
        """Rewired connectomes that were simulated with the point."""
        return int(self.store.sizes["rewiring"]) if "null" in self.store else 0

    def on(self, labels: Sequence[str]) -> Floats:
        """Response [driven, responding] on chosen neurons."""
        return _restricted(self.labels, self.response, labels)

    def null_on(self, labels: Sequence[str]) -> Iterator[Floats]:
        """Response in each rewired connectome on chosen neurons; one at a time, since all are large."""
        for k in steps(range(self.rewirings), "simulated rewirings"):
            one = self.store.assign(rewired=self.store["null"].isel(rewiring=k))
            yield _restricted(self.labels, stores.to_dense(one, "functional", "rewired")[1].astype(float), labels)


def _restricted(own: list[str], matrix: Floats, labels: Sequence[str]) -> Floats:
    return Atlas("", own, matrix, matrix).restrict(labels).value
