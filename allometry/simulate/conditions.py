"""A network under its conditions: check them, place the partitions, run one condition after the other, write their stores."""

import contextlib
import dataclasses
import logging
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allometry import files, stores
from allometry.errors import SimulationError, interruptible, log_to
from allometry.network import Condition, Network
from allometry.network.recording import Record
from allometry.simulate.build.engine import AnyPlan, known_edges
from allometry.simulate.build.estimate import estimate
from allometry.simulate.build.rates.plan import RatePlan
from allometry.simulate.check.validate import check_condition, check_network, check_run
from allometry.simulate.continuation import Start, start_of
from allometry.simulate.distribute.attempts import Attempts
from allometry.simulate.distribute.clusters import mpi
from allometry.simulate.distribute.clusters.jobs import left_of_job
from allometry.simulate.distribute.clusters.kinds import connect
from allometry.simulate.distribute.clusters.placement import place
from allometry.simulate.distribute.description import attributes, check_memory
from allometry.simulate.distribute.execution import Execution
from allometry.simulate.distribute.output import Output, different, digest, run_identity
from allometry.simulate.distribute.setting import Setting, window_steps
from allometry.simulate.distribute.storage.checkpoint import LONG_S
from allometry.simulate.distribute.storage.spool import Spool, held, remove_abandoned
from allometry.simulate.distribute.task import plan_of, warm
from allometry.simulate.distribute.time_limit import TimeLimit

_LOG = logging.getLogger("allometry")


@dataclass(frozen=True)
class Asked:
    """What the conditions of a run have in common, as `simulate.run` takes it."""

    net: Network
    duration_ms: float
    seed: int
    precision: str
    record: Record
    continue_from: str | Path | None = None
    keep_state: bool = False
    attrs: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class _Planned:
    """Checked conditions: what they share, the attributes of their stores, and the plan that takes most memory."""

    setting: Setting
    described: dict[str, Any]
    attrs: list[dict[str, Any]]
    largest: AnyPlan
    start: Start


def require_conditions(conditions: Sequence[Condition], where: str) -> list[Condition]:
    """Return the conditions of a batch.

    Raises
    ------
    SimulationError
        If there are none, one is something else, or two have one name.
    """
    found = list(conditions)
    for number, condition in enumerate(found):
        if not isinstance(condition, Condition):
            raise SimulationError(
                f"{type(condition).__name__} is not a condition",
                where=f"{where}: conditions[{number}]",
                expected="allometry.network.Condition",
            )
    names = [condition.name for condition in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise SimulationError(
            f"several conditions are named {', '.join(twice)}" if twice else "there are no conditions",
            where=where,
            expected="at least one condition, each with a name of its own",
        )
    return found


def run_alone(asked: Asked, condition: Condition | None, store: Path, execution: Execution) -> None:
    """Run one condition, or a network as it is, into a store."""
    stores.require_free(store, overwrite=asked.overwrite)
    planned = _plan(asked, [condition], execution)
    identity = run_identity(planned.setting, condition, planned.described)
    place = _place(store, execution, identity)

    def interrupted() -> str:
        kept = Spool(place).continues()
        end = "; the same run continues from its last checkpoint" if kept else ", and nothing was written"
        return f"the simulation was interrupted{end}"

    with interruptible(interrupted), _spool(store, execution, identity) as spool:
        setting = _begun(planned, spool)
        output = _output(asked, setting, condition, identity, store, spool, planned.attrs[0])
        _run(planned, setting, [output], spool, execution)


def run_conditions(asked: Asked, places: Sequence[tuple[Condition, Path]], execution: Execution) -> None:
    """Run conditions one after the other on one connectivity, each into its store; those that are there already stay."""
    # Neighbours with the same weights need no new ones; first those with the weights of the network.
    places = sorted(places, key=lambda place: sorted(place[0].weight_factors.items()))
    planned = _plan(asked, [condition for condition, _ in places], execution)
    identity = run_identity(planned.setting, None, planned.described)
    again = "the simulation was interrupted; conditions that are through are not run again"
    with interruptible(lambda: again), _spool(places[0][1], execution, identity) as spool:
        setting = _begun(planned, spool)
        outputs = []
        for (condition, store), attrs in zip(places, planned.attrs):
            own = run_identity(setting, condition, planned.described)
            output = _output(asked, setting, condition, own, store, spool.inner(digest(own)), attrs)
            output.again = True
            output.finished = output.is_published()
            if not output.finished:
                stores.require_free(store, overwrite=asked.overwrite)
            outputs.append(output)
        left = sum(not output.finished for output in outputs)
        if left < len(outputs):
            _LOG.info("%d of %d conditions are there already", len(outputs) - left, len(outputs))
        if left:
            _run(planned, setting, outputs, spool, execution)


@contextlib.contextmanager
def _of(condition: Condition | None) -> Iterator[None]:
    """Name the condition in an error."""
    try:
        yield
    except SimulationError as error:
        if condition is None:
            raise
        where = f"condition {condition.name}: {error.where}"
        raise SimulationError(error.what, where=where, expected=error.expected, do=error.do) from None


def _plan(asked: Asked, conditions: Sequence[Condition | None], execution: Execution) -> _Planned:
    """Check everything that can be before anything is started."""
    net, seed, precision = asked.net, asked.seed, asked.precision
    check_network(net)
    check_run(net, asked.duration_ms, execution.partitions, precision, asked.record, seed=seed)
    if asked.keep_state and any(p.plasticity is not None for p in net.projections):
        raise SimulationError(
            "the state of plastic synapses is not kept in a store",
            where="simulate.run",
            expected="keep_state=False for a network with plasticity",
            do="run it to the end at once; from a checkpoint a run that is interrupted continues",
        )
    described = net.to_dict(digest=True)
    start = Start()
    if asked.continue_from is not None:
        start = start_of(asked.continue_from, described, seed, precision)
    setting = Setting(
        network=net,
        seed=seed,
        precision=precision,
        record=asked.record,
        first=start.step,
        steps=start.step + round(asked.duration_ms / net.dt_ms),
        window_steps=window_steps(net),
        checkpoint=execution.checkpoint,
        longest=0,
        keep_state=asked.keep_state,
        origin=start.origin,
    )
    known = known_edges(net)
    attrs, largest = [], None
    for condition in conditions:
        if condition is not None:
            check_condition(net, condition)
        with _of(condition):
            plan, _ = plan_of(setting, condition, known)
        attrs.append(attributes(plan, described, setting, condition, asked.attrs))
        if largest is None or _bits(plan) > _bits(largest):
            largest = plan
    assert largest is not None
    return _Planned(dataclasses.replace(setting, longest=largest.longest), described, attrs, largest, start)


def _bits(plan: AnyPlan) -> float:
    return 0.0 if isinstance(plan, RatePlan) else sum(s.expected * s.weight_bits for s in plan.synapses)


def _begun(planned: _Planned, spool: Spool) -> Setting:
    """Put the state that a run begins with where its partitions find it."""
    if planned.start.state is None:
        return planned.setting
    spool.make()
    spool.write(spool.start, planned.start.state)
    return dataclasses.replace(planned.setting, start=str(spool.start.resolve()))


def _output(
    asked: Asked,
    setting: Setting,
    condition: Condition | None,
    identity: dict[str, Any],
    store: Path,
    spool: Spool,
    attrs: dict[str, Any],
) -> Output:
    return Output(setting, condition, identity, store, spool, attrs, dict(asked.provenance or {}), asked.overwrite)


def _run(planned: _Planned, setting: Setting, outputs: list[Output], spool: Spool, execution: Execution) -> None:
    partitions, plan, threads = execution.partitions, planned.largest, execution.threads_each
    if execution.exchange == "mpi" and partitions > 1:
        mpi.require(mpi.world())
    with contextlib.ExitStack() as stack:
        if not _LOG.hasHandlers():
            # Nobody listens, as in a plain script: the estimate is to be seen before the run all the same.
            stack.enter_context(log_to(logging.StreamHandler(sys.stderr)))
        if partitions > 1 and execution.local:
            # Compile once here: every worker would otherwise do so at the same time.
            warm(plan)
        client = stack.enter_context(connect(execution.cluster, partitions, threads))
        placed = place(client, partitions, threads)
        need = estimate(plan, setting.duration_ms, partitions, placed.threads, processes=not placed.in_process)
        how = "one after the other" if need.spiking else "together"
        many = f", {len(outputs)} conditions {how}" if len(outputs) > 1 else ""
        precision = f", {setting.precision} precision" if need.spiking else ""
        apart = f" on {len(placed.hosts)} hosts: {', '.join(placed.hosts)}" if len(placed.hosts) > 1 else ""
        _LOG.info("%s, %d x %d threads%s%s%s", need, partitions, placed.threads, apart, precision, many)
        check_memory(client, placed, need, execution.memory_gib)
        limit = TimeLimit(
            left_of_job() if execution.wall_time_s is None else execution.wall_time_s,
            client.left_s() if hasattr(client, "left_s") else math.inf,
        )
        Attempts(
            setting, outputs, spool, client, partitions, placed, execution.progress, execution.exchange, limit
        ).until_done()
        spool.remove()


def _place(store: Path, execution: Execution, identity: Mapping[str, Any]) -> Path:
    """Return where a run's checkpoints are: named after the run, so that those of another seed or network beside them stay."""
    folder = Path(execution.checkpoint_folder or store.with_name(f".{store.stem}-checkpoints"))
    return folder / f"run-{digest(identity)}"


@contextlib.contextmanager
def _spool(store: Path, execution: Execution, identity: Mapping[str, Any]) -> Iterator[Spool]:
    """Yield the folder that the run's files go through: with checkpoints one that a rerun finds, else one that goes at the end."""
    if execution.checkpoint != "off":
        place = _place(store, execution, identity)
        remove_abandoned(place.parent, "run-*")
        with held(place) as spool:
            _name_others(spool, identity)
            started = time.monotonic()
            try:
                yield spool
            except BaseException:
                # of a short batch the stores of the conditions that are through suffice
                worth = execution.checkpoint != "auto" or time.monotonic() - started > LONG_S
                if not spool.continues(finished=worth):
                    spool.remove()
                raise
        return
    prefix = f".{store.stem}-spool-"
    with files.writing(store):
        store.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(store.parent, f"{prefix}*")
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=store.parent))
    try:
        yield Spool(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _name_others(spool: Spool, identity: Mapping[str, Any]) -> None:
    """Say which runs have checkpoints beside those of this one, where it has none: perhaps one of them was meant."""
    if spool.read_json("run.json") is not None:
        return
    for there in sorted(spool.folder.parent.glob("run-*")):
        other = Spool(there).read_json("run.json")
        if there != spool.folder and other is not None and Spool(there).continues():
            _LOG.info(
                "%s has checkpoints of another run, which are not used: its %s differs",
                there,
                different(identity, other),
            )
