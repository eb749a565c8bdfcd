"""What each job of the workflow does, as amounts for the cost model: from its rule and the configuration."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from allometry import models, stores
from allometry.config import Config
from allometry.config.simulate import NetworkRun, PropagationRun
from allometry.models.graph import Graph
from allometry.scale.coarse.jobs import conditions, part_of
from allometry.scale.compute.measuring import network_of, points
from allometry.scale.jobs import is_feature, network
from allometry.scale.jobs import units as size_of
from allometry.simulate.distribute.clusters.placement import cores
from allometry.workflow import reach, recording_sessions, snakefile
from allometry.workflow.checks.names import Registry
from allometry.workflow.places import coarse, compute, studies
from allometry.workflow.planning.cost_model import BUILT, Coefficients, Work, propagation, simulated

#: Stands for a connectome that is not there yet: the neurons and chemical edges of a worm, rounded.
NEURONS, EDGES = 300, 3_500
AREAS = 2
"""Areas of a feature model, of which a study names none."""


@dataclass
class Jobs:
    """Says what a job does.

    Parameters
    ----------
    cfg : Config
    registry : mapping
        Of data sets.
    known : Coefficients
        Has rates of models, and the sizes of files that readers were measured with.
    """

    cfg: Config
    registry: Registry
    known: Coefficients
    _networks: dict[str, Work] = field(default_factory=dict)
    _populations: dict[str, int] = field(default_factory=dict)

    def work(self, rule: str, wildcards: Mapping[str, str], threads: int) -> Work:
        """What a job does.

        Parameters
        ----------
        rule : str
            Name of its rule; of one that is not known here, the middle of its group stands for it.
        wildcards : mapping of str to str
        threads : int
        """
        for prefix, describe in _RULES.items():
            if rule.startswith(prefix):
                return describe(self, rule, wildcards, threads)
        return self._other()

    def _other(self, *_: Any) -> Work:
        return Work({"other.job": 1}, {"other.job": 1}, "other.job")

    def _retrieve(self, rule: str, _: Mapping[str, str], __: int) -> Work:
        source = rule.removeprefix("retrieve_")
        ways = reach.ways(self.cfg, source, self.registry[source]["files"])
        seconds = {f"retrieve.{kind}": 0.0 for kind in ("copy", "package", "download")}
        # a package is fetched once for all that is in it, by the first of the jobs that want it
        for kind, once in dict.fromkeys((way.kind, way.once) for way in ways):
            seconds[f"retrieve.{kind}"] += 1 / self._sharing[once] if kind == "package" else 1
        known = sum(way.size or 0 for way in ways)
        unknown = {f"retrieved.{source}": 1} if any(way.size is None for way in ways) else {}
        return Work(
            {"retrieve.start": 1, **seconds}, {"raw.byte": known, "raw.file": len(ways) + 1, **unknown}, "retrieve"
        )

    @cached_property
    def _sharing(self) -> Mapping[str, int]:
        """How many data sets of the configuration are in each package."""
        used = reach.used_sources(self.cfg, self.registry)
        asked = [reach.ways(self.cfg, name, entry["files"]) for name, entry in used.items()]
        return Counter(once for ways in asked for once in {way.once for way in ways if way.kind == "package"})

    def _homogenize(self, _: str, wildcards: Mapping[str, str], __: int) -> Work:
        source = snakefile.source_of(self.registry, wildcards["kind"], wildcards["store"])
        reader = f"{wildcards['kind']}.{self.registry[source]['reader']}"
        size, usual = self._raw_bytes(source), self.known.raw_bytes.get(reader)
        amount = max(0.5, size / usual) if size and usual else 1.0
        session = recording_sessions.known_memory(self.registry, source, wildcards["kind"])
        return Work(
            {f"homogenize.{reader}": amount},
            {f"homogenized.{reader}": amount},
            f"homogenize.{reader}",
            bytes_memory=session or 0,
        )

    def _raw_bytes(self, source: str) -> int | None:
        sizes = [way.size for way in reach.ways(self.cfg, source, self.registry[source]["files"])]
        return None if None in sizes else sum(size or 0 for size in sizes)

    def _stack(self, *_: Any) -> Work:
        count = len(self.cfg.homogenize.worm_stack)
        return Work({"stack.start": 1, "stack.store": count}, {"stack.store": count}, "stack")

    def _simulate(self, _: str, wildcards: Mapping[str, str], threads: int) -> Work:
        name = wildcards["run"]
        run = self.cfg.simulate.runs[name]
        assert isinstance(run, NetworkRun | PropagationRun)
        if "point" in wildcards:
            parameters = snakefile.point(self.cfg, name, wildcards["point"]).parameters
        else:
            parameters = snakefile.batch(self.cfg, name, wildcards["settings"] + wildcards["end"])
        key = repr((name, {k: v for k, v in parameters.items() if k != "seed"}, threads))
        if key not in self._networks:
            self._networks[key] = self._simulation(run, parameters, threads)
        return self._networks[key]

    def _feature(self, rule: str, wildcards: Mapping[str, str], __: int) -> Work:
        run = self.cfg.simulate.runs[wildcards["run"]]
        what = f"{rule.removeprefix('simulate_')}.{getattr(run, 'model', run.kind)}"
        return Work({"feature.start": 1, f"feature.{what}": 1}, {f"feature.{what}": 1}, f"feature.{what}")

    def _fitted(self, _: str, wildcards: Mapping[str, str], __: int) -> Work:
        what = f"feature.fit.{self.cfg.scale.studies[wildcards['study']].model}"
        return Work({"feature.start": 1, what: 1}, {what: 1}, what)

    def _simulation(self, run: NetworkRun | PropagationRun, parameters: Mapping[str, Any], threads: int) -> Work:
        graph = _connectome(run, parameters) if parameters["connectome"] else None
        simulate = self.cfg.simulate
        if isinstance(run, PropagationRun):
            assert isinstance(graph, Graph)
            net = models.connectome_lif(graph, parameters["weight_mv"], gap_junction=parameters["gap_junction"])
            return propagation(
                net.size, len(graph.source), run.duration_ms, net.dt_ms, run.rewirings, simulate.threads or threads
            )
        net = models.build(run.model, parameters["parameters"], graph)
        partitions = min(simulate.partitions, net.size)
        return simulated(
            net,
            run.duration_ms,
            threads=simulate.threads or max(1, threads // partitions),
            partitions=partitions,
            precision=run.precision,
            conditions=len(run.conditions) or 1,
            record=run.record.model_dump(),
            known=self.known,
        )

    def _scale_simulate(self, _: str, wildcards: Mapping[str, str], threads: int) -> Work:
        study = studies.study(self.cfg, wildcards["study"])
        job = study.jobs[wildcards["job"]]
        conditions = len(studies.conditions(study))
        if is_feature(study.values["model"]):
            what = f"feature.feature.{study.values['model']}"
            units, synapses = size_of(study.values, job.size, job.schemes[0])
            return Work(
                {"feature.start": 1, what: conditions},
                {what: conditions},
                what,
                neurons=units,
                synapses=round(synapses),
            )
        return self._of_study(study, job.size, job.schemes[0], job.parameters, conditions, threads)

    def _coarse_observe(self, rule: str, _: Mapping[str, str], threads: int) -> Work:
        name, seed = rule.removeprefix("coarse_observe_").rsplit("_", 1)
        settings = coarse.observing(self.cfg, name, int(seed))
        part = part_of(settings, int(seed))
        return simulated(
            models.build("v1", {"reduction": settings["reduction"]}),
            part["duration_ms"] + part["skip_ms"],
            threads=self.cfg.simulate.threads or threads,
            partitions=self.cfg.simulate.partitions,
            precision="fast",
            conditions=len(conditions(settings, int(seed))),
            record={"populations": ["E", "I"]},
            known=self.known,
        )

    def _scale_calibrate(self, _: str, wildcards: Mapping[str, str], threads: int) -> Work:
        study = studies.study(self.cfg, wildcards["study"])
        job = study.calibrations[wildcards["calibration"]]
        found = self._of_study(study, job.size, job.scheme, job.parameters, job.simulations, threads)
        # every trial builds its network, and its spikes are not kept
        builds = job.simulations / (len(job.parameters["conditions"]) or 1)
        built = {name: builds * found.seconds[name] for name in BUILT if name in found.seconds}
        return replace(found, seconds={**found.seconds, **built}, disk={"calibrated.factors": 1})

    def _of_study(
        self,
        study: studies.Study,
        size: float,
        scheme: str,
        parameters: Mapping[str, Any],
        simulations: int,
        threads: int,
    ) -> Work:
        """So many simulations of one network of a study."""
        # jobs that differ in their seeds do the same
        key = repr((study.name, size, scheme, parameters["duration_ms"], parameters["record"], simulations, threads))
        if key not in self._networks:
            net = network(study.values, size, scheme)
            partitions = min(self.cfg.simulate.partitions, net.size)
            self._networks[key] = simulated(
                net,
                parameters["duration_ms"],
                threads=self.cfg.simulate.threads or max(1, threads // partitions),
                partitions=partitions,
                precision=study.values["precision"],
                conditions=simulations,
                record=parameters["record"],
                known=self.known,
            )
        return self._networks[key]

    def _scale_measure(self, _: str, wildcards: Mapping[str, str], __: int) -> Work:
        study = studies.study(self.cfg, wildcards["study"])
        return Work(
            {"scale.start": 1, "scale.statistic": len(studies.conditions(study)) * self._statistics(study)},
            {"measured.job": 1},
            "scale.measure",
        )

    def _scale_study(self, _: str, wildcards: Mapping[str, str], __: int) -> Work:
        study = studies.study(self.cfg, wildcards["study"])
        values = len(studies.conditions(study)) * self._statistics(study) * len(study.values["schemes"])
        return Work(
            {"scale.start": 1, "scale.law": values, "scale.job": len(study.jobs)},
            {"scaled.study": 1, "scaled.value": values * len(study.values["sizes"])},
            "scale.study",
        )

    def _scale_compute(self, _: str, wildcards: Mapping[str, str], __: int) -> Work:
        """Simulations of a study of compute scaling, each of which runs alone; what else it measures is like any other job."""
        if wildcards.get("part") != "simulations":
            return self._other()
        study = compute.values(self.cfg, wildcards["study"])
        seconds: dict[str, float] = {}
        largest = 0
        for point in points(study):
            work = simulated(
                network_of(study, point),
                study["duration_ms"],
                threads=point.threads,
                partitions=point.partitions,
                known=self.known,
            )
            # more workers than cores take turns
            times = study["repeats"] * max(1.0, point.partitions * point.threads / cores())
            for name, amount in work.seconds.items():
                seconds[name] = seconds.get(name, 0.0) + times * amount
            largest = max(largest, work.bytes_memory)
        return Work(seconds, {"other.job": 1}, "other.job", bytes_memory=largest)

    def _statistics(self, study: studies.Study) -> int:
        """Statistics of all populations that a study takes of one condition."""
        if study.name not in self._populations:
            least = study.values["sizes"][0], study.values["schemes"][0]
            named = study.values["populations"]
            if not named and not is_feature(study.values["model"]):
                named = network(study.values, *least).populations
            self._populations[study.name] = len(named) or AREAS
        return len(study.values["statistics"]) * self._populations[study.name]

    def _compare(self, _: str, wildcards: Mapping[str, str], __: int) -> Work:
        entry = self.cfg.compare.comparisons[wildcards["comparison"]]
        read = len(snakefile.comparison_stores(self.cfg, wildcards["comparison"]))
        options = entry.model_dump()
        kind, units = _kind(entry.kind, options), _units(entry.kind, options, read)
        seconds = {
            f"compare.start.{kind}": 1,
            f"compare.unit.{kind}": units,
            f"compare.null.{kind}": options.get("nulls", 0) * _rewired(entry.kind, options, units),
            f"compare.bootstrap.{kind}": options.get("bootstrap", 0) * units,
        }
        return Work(
            {name: amount for name, amount in seconds.items() if amount},
            {f"compared.{entry.kind}": 1},
            f"compare.{entry.kind}",
        )

    def _draw(self, rule: str, _: Mapping[str, str], __: int) -> Work:
        kind = rule.removeprefix("draw_")
        drawn = snakefile.figures(self.cfg, self.registry)[kind]
        figures, read = len(drawn.drawn), sum(len(figure.stores) for figure in drawn.drawn.values())
        return Work(
            {"report.start": 1, f"report.figure.{kind}": figures, f"report.store.{kind}": read},
            {f"report.figure.{kind}": figures},
            f"report.{rule}",
        )

    def _write(self, rule: str, *_: Any) -> Work:
        counts = {
            "cards": len(self.cfg.compare.comparisons),
            "page": len(snakefile.zarrs(snakefile.targets(self.cfg, self.registry)["all"])),
        }
        name = f"report.{rule}"
        count = counts[rule.removeprefix("write_")]
        return Work({"report.start": 1, name: count}, {name: count}, name)


_RULES: dict[str, Callable[..., Work]] = {
    "retrieve_": Jobs._retrieve,
    "homogenize_worm_stack": Jobs._stack,
    "homogenize_store": Jobs._homogenize,
    "simulate_responses": Jobs._other,
    "simulate_recording": Jobs._other,
    "simulate_clamp": Jobs._other,
    "simulate_fit": Jobs._feature,
    "simulate_feature": Jobs._feature,
    "simulate_": Jobs._simulate,
    "coarse_observe_": Jobs._coarse_observe,
    "scale_fit": Jobs._fitted,
    "scale_simulate_": Jobs._scale_simulate,
    "scale_calibrate": Jobs._scale_calibrate,
    "scale_measure": Jobs._scale_measure,
    "scale_study": Jobs._scale_study,
    "scale_compute": Jobs._scale_compute,
    "compare_run": Jobs._compare,
    "draw_": Jobs._draw,
    "write_": Jobs._write,
}


def _kind(kind: str, options: Mapping[str, Any]) -> str:
    """Name under which a comparison is measured: its kind, with what decides which measures it computes."""
    return f"{kind}.{options['of']}" if kind == "model_recovery" else kind


def _rewired(kind: str, options: Mapping[str, Any], units: int) -> int:
    """How many things a comparison makes null ones of: what its units are, or each connectome, or each draw, once for all of them."""
    if kind in ("connectome_agreement", "propagation", "structure_function"):
        return len(options["structure"])
    return int(options["draws"]) if kind == "model_recovery" else units


def _units(kind: str, options: Mapping[str, Any], read: int) -> int:
    """How often a comparison of a kind does what it does: by pair, by draw, or by store that it reads."""
    pairs = {
        "connectome_agreement": lambda: len(options["structure"]) * (len(options["structure"]) - 1),
        "structure_function": lambda: len(options["function"]) * len(options["structure"]),
        "activity_structure": lambda: len(options["activity"]) * len(options["structure"]),
        "dynamic_connectome": lambda: len(options["activity"]) * max(1, len(options["structure"])),
        "structure_bold": lambda: len(options["structure"]),
        "propagation": lambda: read - 1 - len(options["structure"]),
        "model_recovery": lambda: options["draws"] * options["items"],
    }
    return max(1, pairs[kind]() if kind in pairs else read)


def _connectome(run: NetworkRun | PropagationRun, parameters: Mapping[str, Any]) -> Any:
    """The connectome that a simulation reads, or one that stands for it: a store where the model says how, else a graph."""
    path = Path(snakefile.homogenized("connectome", parameters["connectome"])[0])
    stand_in = models.MODELS[run.model].stand_in if isinstance(run, NetworkRun) else None
    if stand_in is not None:
        return stores.open(path) if path.is_dir() else stand_in(parameters["parameters"])
    return _graph(path, parameters)


def _graph(path: Path, parameters: Mapping[str, Any]) -> Graph:
    if path.is_dir():
        return Graph.from_store(stores.open(path))  # type: ignore[arg-type]
    given: Mapping[str, Any] = parameters.get("parameters") or {}
    labels = list(_labels([str(given.get(key) or "") for key in ("driven", "silenced")]))
    rng = np.random.default_rng(1)
    source, target = np.divmod(rng.choice(len(labels) ** 2, EDGES, replace=False), len(labels))
    kept = source != target
    return Graph(tuple(labels), source[kept], target[kept], np.full(np.count_nonzero(kept), 5.0), np.ones(len(labels)))


def _labels(named: Sequence[str]) -> Iterator[str]:
    asked = dict.fromkeys(name.strip() for names in named for name in names.split(",") if name.strip())
    yield from asked
    yield from (f"({k})" for k in range(NEURONS - len(asked)))
