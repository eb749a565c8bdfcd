"""All measures by name: those of the package, each beside its function, and those of plugins.

`records/index.json` says which module to import for which measure, so that a look at one imports nothing else.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

from allometry.compare.records.measures import RECORDS, Measure, index
from allometry.errors import ComparisonError
from allometry.hints import nearest

_ROOMS = ("measures", "inference", "kinds")


class _Measures(Mapping[str, Measure]):
    """Measure by name; its module is imported on access."""

    def __getitem__(self, name: str) -> Measure:
        if name not in RECORDS.parts and name in index():
            importlib.import_module(f"{__package__}.{index()[name]}")
        return RECORDS[name]

    def __iter__(self) -> Iterator[str]:
        yield from index()
        yield from (name for name in RECORDS if name not in index())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in index() or name in RECORDS


MEASURES: Mapping[str, Measure] = _Measures()


def find(name: str) -> Measure:
    """Record of the measure called `name`, or an error with the nearest known names."""
    if name not in MEASURES:
        near = nearest(name, MEASURES, n=3, cutoff=0.3)
        raise ComparisonError(
            f"there is no measure called {name!r}",
            expected="one of " + ", ".join(near or sorted(MEASURES)),
            do="list them all with: python -m allometry.compare.registry",
        )
    return MEASURES[name]


def collect() -> dict[str, Measure]:
    """Records of all modules of the package, sorted by module and name, then those of plugins."""
    for room in _ROOMS:
        package = importlib.import_module(f"{__package__}.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    own = [record for record in RECORDS.values() if record.module.startswith(f"{__package__}.")]
    ranks = {room: rank for rank, room in enumerate(_ROOMS)}
    own.sort(key=lambda record: (ranks[record.module.split(".")[2]], record.module, record.name))
    return {record.name: record for record in own} | RECORDS.plugged()


if __name__ == "__main__":
    for entry in MEASURES.values():
        print(f"{entry.family:15} {entry.name:32} {entry.use}")
