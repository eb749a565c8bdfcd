"""The order of the package: what may import what, no circles, no crowded folder, no long module.

Every import counts, also those within functions and under TYPE_CHECKING.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from allometry.generate.architecture import STAGES
from allometry.generate.rooms import Graph, Room, arrows, circle, import_graph, inner_arrows, plan

SHARED = ("models", "network", "stores")
# Rooms that every other may import, as the floor of the package.
GROUND = ("numerics",)
# What each room may import, beside the floor of the package, which everything may; a room within takes the line of the
# room around it, unless it has its own. A room that is not named has to be given its place here.
ORDER: dict[str, tuple[str, ...]] = {
    "scripts": ("config", "workflow", *STAGES, "scale"),
    "allometry (entrance)": ("config", "workflow", "export", "terminal", *STAGES, "scale", *SHARED),
    "terminal": ("config", "workflow", "export", "report", "simulate/build", "stores"),
    "export": ("stores",),
    "workflow (entrance)": ("workflow", "code", "config", *STAGES, "scale", *SHARED),
    "workflow/planning": (
        "workflow/checks",
        "workflow/places",
        "workflow (floor)",
        "config",
        *STAGES,
        "scale",
        *SHARED,
    ),
    "workflow/checks": ("workflow/places", "config", *STAGES, "scale", *SHARED),
    "workflow/keeping": ("workflow (floor)", "config", "retrieve", "stores"),
    "workflow/places": ("config", "simulate", "scale", "models"),
    "workflow (floor)": ("workflow/checks", "workflow/places", "config", *STAGES, "scale", *SHARED),
    "generate": ("code", "config", *STAGES, "scale", *SHARED),
    "config": ("retrieve", "compare/records"),
    "retrieve": (),
    "retrieve (entrance)": ("retrieve",),
    "retrieve/sessions": ("retrieve (floor)",),
    "retrieve (floor)": (),
    "homogenize (entrance)": ("homogenize", "stores"),
    "homogenize/inspection": ("homogenize/readers", "homogenize/formats", "homogenize (floor)", "stores"),
    "homogenize/readers": (
        "homogenize/formats",
        "homogenize/traces",
        "homogenize/connectomes",
        "homogenize/responses",
        "homogenize/spikes",
        "homogenize/macaque",
        "homogenize/worm",
        "homogenize/tables",
        "homogenize (floor)",
        "stores",
    ),
    "homogenize/formats": (
        "homogenize/formats (floor)",
        "homogenize/formats/flat",
        "homogenize/traces",
        "homogenize/connectomes",
        "homogenize/responses",
        "homogenize/spikes",
        "homogenize (floor)",
        "stores",
    ),
    "homogenize/traces": ("homogenize/worm", "homogenize (floor)", "stores"),
    "homogenize/connectomes": ("homogenize/worm", "homogenize (floor)", "stores"),
    "homogenize/responses": ("homogenize (floor)", "stores"),
    "homogenize/spikes": ("homogenize (floor)", "stores"),
    "homogenize/macaque": ("homogenize/formats",),
    "homogenize/worm": ("homogenize/tables",),
    "homogenize/tables": (),
    "homogenize (floor)": ("stores",),
    "simulate/recordings": ("simulate (floor)", "simulate/kernels", "stores"),
    "simulate/clamps": ("simulate/kernels", "models", "stores"),
    "simulate (entrance)": ("simulate", "models", "network", "stores"),
    "simulate/distribute (entrance)": (
        "simulate/distribute",
        "simulate/build",
        "code",
        "simulate/kernels",
        "network",
        "stores",
    ),
    "simulate/distribute/clusters": (),
    "simulate/distribute/exchange": ("simulate/distribute/clusters", "simulate/build", "simulate/kernels"),
    "simulate/distribute/storage": ("simulate/distribute (floor)", "simulate/build", "network", "stores"),
    "simulate/distribute (floor)": ("network",),
    "simulate/check": ("simulate/build", "network"),
    "simulate/build (entrance)": ("simulate/build", "simulate/kernels", "network"),
    "simulate/build/synapses": (
        "simulate/build/shards",
        "simulate/build/plan",
        "simulate/build (floor)",
        "simulate/kernels",
        "network",
    ),
    "simulate/build/shards": ("simulate/build/plan", "simulate/build (floor)", "simulate/kernels", "network"),
    "simulate/build/plan": ("simulate/build (floor)", "simulate/kernels", "network"),
    "simulate/build/rates": ("simulate/build/plan", "simulate/build (floor)", "simulate/kernels", "network"),
    "simulate/build (floor)": ("simulate/kernels", "network"),
    "simulate/kernels (entrance)": ("simulate/kernels (floor)",),
    "simulate/kernels/loop": (
        "simulate/kernels/inputs",
        "simulate/kernels/neurons",
        "simulate/kernels/synapses",
        "simulate/kernels (floor)",
    ),
    "simulate/kernels/inputs": ("simulate/kernels/neurons", "simulate/kernels (floor)"),
    "simulate/kernels/synapses": ("simulate/kernels/wiring", "simulate/kernels/neurons", "simulate/kernels (floor)"),
    "simulate/kernels/neurons": ("simulate/kernels (floor)", "network"),
    "simulate/kernels/wiring": ("simulate/kernels (floor)",),
    "simulate/kernels/channels": ("simulate/kernels/neurons", "simulate/kernels (floor)"),
    "simulate/kernels/rates": (
        "simulate/kernels/loop",
        "simulate/kernels/neurons",
        "simulate/kernels (floor)",
        "network",
    ),
    "simulate/kernels (floor)": (),
    "simulate (floor)": ("models", "stores"),
    # the one stage that uses others
    "scale": ("simulate", "models", "network", "compare/inputs", "compare/measures", "compare/inference", "stores"),
    "scale (entrance)": (
        "scale",
        "simulate",
        "models",
        "network",
        "compare/inputs",
        "compare/measures",
        "compare/inference",
        "stores",
    ),
    "scale/features": ("scale/statistics", "models", "compare/measures", "stores"),
    "scale/statistics": ("simulate/build", "models", "network", "compare/inputs", "compare/measures", "stores"),
    "scale/findings": ("scale (floor)", "scale/statistics", "models", "network", "compare/inputs"),
    "scale/compute": ("scale (floor)", "simulate", "models", "network", "stores"),
    "scale/coarse": ("scale (floor)", "simulate", "models", "network", "stores"),
    "scale (floor)": (
        "scale/statistics",
        "scale/features",
        "simulate",
        "models",
        "network",
        "compare/inputs",
        "stores",
    ),
    "compare (entrance)": ("compare", "stores"),
    "compare/kinds": (
        "compare/inputs",
        "compare/measures",
        "compare/inference",
        "compare/options",
        "compare/records",
        "compare (floor)",
        "stores",
    ),
    "compare/inputs": ("compare/measures", "compare/inference", "stores"),
    "compare/measures": ("compare/inference", "compare/records"),
    "compare (floor)": ("compare/inference", "compare/records"),
    "compare/inference": ("compare/records",),
    "compare/options": ("compare/records",),
    "compare/records": (),
    "report (entrance)": ("report", "stores"),
    "report/page": ("report/scaling", "report (floor)", "report/drawing", "stores"),
    "report/kinds": ("report/drawing", "stores"),
    "report/features": ("report/drawing", "stores"),
    "report/comparisons": ("report/drawing", "stores"),
    "report/scaling": ("report (floor)", "report/drawing", "stores"),
    "report/drawing": ("stores",),
    "report (floor)": ("report/drawing", "stores"),
    "models": ("network",),
    "models (entrance)": ("models", "network"),
    "models/cells": (),
    "models/rates": ("models/features", "models/catalogue", "network"),
    "models/features": ("models/catalogue", "network"),
    "models/theory": ("network",),
    "models/catalogue": ("network",),
    "network": (),
    "network (entrance)": ("network",),
    "network/neurons": ("network (floor)",),
    "network (floor)": (),
    "stores (entrance)": ("stores",),
    "stores/writers": ("stores/storage", "stores/kinds", "stores (floor)"),
    "stores/folders": ("stores/storage", "stores (floor)"),
    "stores/summaries": ("stores/storage", "stores (floor)"),
    "stores/storage": ("stores/kinds", "stores (floor)"),
    "stores/access": ("stores (floor)",),
    "stores/kinds": ("stores (floor)",),
    "stores (floor)": (),
    "code": (),
    "numerics": (),
    "allometry (floor)": (),
}
MOST_MODULES = 18
MOST_LINES = 400
# By folder or module: why it may be larger
CROWDED = {"allometry/homogenize/readers": "one module per data set; the folder is the list of readers"}
LONG: dict[str, str] = {}


def upwards(whole: Room, graph: Graph, order: Mapping[str, Sequence[str]]) -> list[str]:
    """Imports between rooms that the order does not allow, and rooms that have no place in it."""
    floor = f"{whole.name} (floor)"
    found = []
    for name, others in arrows(whole, graph).items():
        place = max((key for key in order if _lies_in(name, key)), key=len, default=None)
        if place is None:
            found.append(f"{name} has no place in the order")
            continue
        allowed = (*order[place], *([floor, *GROUND] if name != floor else []))
        found += [f"{name} imports {other}" for other in sorted(others) if not any(_lies_in(other, a) for a in allowed)]
    return found


def _lies_in(name: str, room: str) -> bool:
    return name == room or name.startswith((f"{room}/", f"{room} ("))


def crowded(package: Path) -> dict[str, int]:
    """Folders with more modules than allowed, `__init__` not counted."""
    folders = {path.parent for path in package.rglob("*.py")}
    counts = {
        folder.relative_to(package.parent).as_posix(): sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        for folder in folders
    }
    return {name: count for name, count in counts.items() if count > MOST_MODULES}


def long_modules(package: Path) -> dict[str, int]:
    """Modules with more lines than allowed."""
    counts = {
        path.relative_to(package.parent).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in package.rglob("*.py")
    }
    return {name: count for name, count in counts.items() if count > MOST_LINES}


def _read(package: Path, *beside: Path) -> tuple[Room, dict[str, frozenset[str]]]:
    graph = import_graph(package, *beside)
    return plan(package, graph, *beside), graph


@pytest.fixture(scope="module")
def real(root: Path) -> tuple[Room, dict[str, frozenset[str]]]:
    return _read(root / "allometry", root / "scripts")


def test_no_module_imports_itself_through_others(real: tuple[Room, Graph]) -> None:
    assert circle(real[1]) == []


def test_no_room_imports_itself_through_others(real: tuple[Room, Graph]) -> None:
    whole, graph = real
    for name, inner in inner_arrows(whole, arrows(whole, graph)).items():
        assert circle(inner) == [], name


def test_no_arrow_points_up(real: tuple[Room, Graph]) -> None:
    assert upwards(*real, ORDER) == []


def test_order_names_rooms_that_there_are(real: tuple[Room, Graph]) -> None:
    names = {room.name for room in real[0].walk()}
    assert set(ORDER) | {room for rooms in ORDER.values() for room in rooms} <= names


def test_no_folder_is_crowded(root: Path) -> None:
    assert set(crowded(root / "allometry")) == set(CROWDED)


def test_no_module_is_long(root: Path) -> None:
    assert set(long_modules(root / "allometry")) == set(LONG)


def test_every_module_stands_in_one_room(real: tuple[Room, Graph]) -> None:
    whole, graph = real
    homes = [module for room in whole.walk() for module in room.modules]
    assert len(homes) == len(set(homes)) == whole.size
    # only an `__init__` may stand in none: one that neither imports nor is imported, beside rooms
    assert all(not graph[module] for module in set(graph) - set(homes) - {room.init for room in whole.walk()})


# The checks above can fail: small packages in which something is wrong


def _package(folder: Path, files: Mapping[str, str]) -> Path:
    package = folder / "allometry"
    for name, text in {"__init__.py": "", **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for parent in path.parents:
            if parent != package and package in parent.parents:
                (parent / "__init__.py").touch()
    return package


@pytest.mark.parametrize(
    "text",
    [
        "from allometry.low.b import B\n",
        "import allometry.low.b as low\n",
        "from . import b\n",
        "from ..low.b import B\n",
        "def function():\n    from allometry.low import b\n    return b\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from allometry.low.b import B\n",
        "try:\n    import os\nexcept ImportError:\n    import allometry.low.b\n",
        "try:\n    import os\nfinally:\n    import allometry.low.b\n",
        "for _ in ():\n    pass\nelse:\n    import allometry.low.b\n",
        "match 1:\n    case 1:\n        import allometry.low.b\n",
        "class A:\n    async def method(self):\n        with self:\n            import allometry.low.b\n",
    ],
)
def test_circle_of_modules_is_found(tmp_path: Path, text: str) -> None:
    graph = import_graph(_package(tmp_path, {"low/a.py": text, "low/b.py": "from allometry.low import a\n"}))
    found = circle(graph)
    assert found[0] == found[-1]
    assert set(found) == {"allometry.low.a", "allometry.low.b"}


def test_circle_of_rooms_is_found_where_no_module_is_in_one(tmp_path: Path) -> None:
    files = {
        "left/a.py": "import allometry.right.a\n",
        "left/b.py": "",
        "right/a.py": "",
        "right/b.py": "import allometry.left.b\n",
    }
    whole, graph = _read(_package(tmp_path, files))
    assert circle(graph) == []
    assert set(circle(inner_arrows(whole, arrows(whole, graph))["allometry"])) == {"left", "right"}


def test_circle_of_rooms_is_found_one_floor_up(tmp_path: Path) -> None:
    files = {
        "left/one/a.py": "import allometry.right.one.a\n",
        "left/two/a.py": "",
        "right/one/a.py": "",
        "right/two/a.py": "import allometry.left.two.a\n",
    }
    whole, graph = _read(_package(tmp_path, files))
    between = arrows(whole, graph)
    assert circle(between) == []
    assert set(circle(inner_arrows(whole, between)["allometry"])) == {"left", "right"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"low/a.py": "from allometry.high import a\n", "high/a.py": ""}, ["low imports high"]),
        ({"low/inner/a.py": "from allometry.high import a\n", "high/a.py": ""}, ["low/inner imports high"]),
        ({"low/a.py": "", "high/a.py": "from allometry.low import a\n"}, []),
        ({"low/a.py": "", "other/a.py": ""}, ["other has no place in the order"]),
        ({"low/a.py": "import allometry.errors\n", "errors.py": "", "high/a.py": ""}, []),
        (
            {"low/a.py": "import allometry.errors\n", "errors.py": "import allometry.high.a\n", "high/a.py": ""},
            ["allometry (floor) imports high"],
        ),
        ({"low/a.py": "", "cli.py": "import allometry.low.a\n"}, ["allometry (entrance) imports low"]),
    ],
)
def test_arrow_upwards_is_found(tmp_path: Path, files: dict[str, str], said: list[str]) -> None:
    whole, graph = _read(_package(tmp_path, files))
    order = {"high": ("low",), "low": (), "allometry (floor)": (), "allometry (entrance)": ()}
    assert upwards(whole, graph, order) == said


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("homogenize/readers/a.py", "simulate/build/plan/a.py", "homogenize/readers imports simulate/build/plan"),
        ("compare/kinds/a.py", "models/a.py", "compare/kinds imports models"),
        ("compare/kinds/one/a.py", "compare/kinds/two/a.py", "compare/kinds/one imports compare/kinds/two"),
        ("compare/measures/graphs/a.py", "compare/measures/spikes/a.py", "/graphs imports compare/measures/spikes"),
        ("compare/inference/a.py", "compare/kinds/a.py", "compare/inference imports compare/kinds"),
        ("homogenize/traces/a.py", "homogenize/readers/a.py", "homogenize/traces imports homogenize/readers"),
        ("network/a.py", "simulate/kernels/wiring/a.py", "network imports simulate/kernels/wiring"),
        ("models/a.py", "simulate/build/plan/a.py", "models imports simulate/build/plan"),
        (
            "simulate/kernels/wiring/a.py",
            "simulate/build/plan/a.py",
            "simulate/kernels/wiring imports simulate/build/plan",
        ),
        (
            "simulate/build/plan/a.py",
            "simulate/distribute/exchange/a.py",
            "simulate/build/plan imports simulate/distribute/exchange",
        ),
        ("simulate/build/plan/a.py", "simulate/build/shards/a.py", "build/plan imports simulate/build/shards"),
        ("simulate/kernels/wiring/a.py", "simulate/kernels/loop/a.py", "wiring imports simulate/kernels/loop"),
        ("scale/a.py", "compare/kinds/a.py", "scale imports compare/kinds"),
        ("simulate/build/plan/a.py", "scale/a.py", "simulate/build/plan imports scale"),
        ("stores/kinds/a.py", "report/drawing/a.py", "stores/kinds imports report/drawing"),
    ],
)
def test_order_of_the_package_forbids(tmp_path: Path, source: str, target: str, said: str) -> None:
    module = target.removesuffix(".py").replace("/", ".")
    whole, graph = _read(_package(tmp_path, {source: f"import allometry.{module}\n", target: ""}))
    (found,) = upwards(whole, graph, ORDER)
    assert found.endswith(said)


def test_stub_counts_for_its_module(tmp_path: Path) -> None:
    package = _package(tmp_path, {"low/a.py": "", "high/a.py": ""})
    (package / "low" / "__init__.pyi").write_text("from ..high.a import A as A\n", encoding="utf-8")
    assert import_graph(package)["allometry.low"] == {"allometry.high.a"}


def test_script_beside_the_package_counts(tmp_path: Path) -> None:
    package = _package(tmp_path, {"low/a.py": "", "job.py": ""})
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "run.py").write_text("from allometry import job\nfrom allometry.low import a\n", encoding="utf-8")
    whole, graph = _read(package, scripts)
    assert arrows(whole, graph)["scripts"] == {"low", "allometry (floor)"}


def test_crowded_folder_is_found(tmp_path: Path) -> None:
    package = _package(tmp_path, {f"full/m{i}.py": "" for i in range(18)})
    assert crowded(package) == {}
    (package / "full" / "m18.py").touch()
    assert crowded(package) == {"allometry/full": 19}


def test_long_module_is_found(tmp_path: Path) -> None:
    package = _package(tmp_path, {"a.py": "X = 1\n" * 400})
    assert long_modules(package) == {}
    (package / "a.py").write_text("X = 1\n" * 401, encoding="utf-8")
    assert long_modules(package) == {"allometry/a.py": 401}
