"""Plans of a few jobs, for tests."""

from pathlib import Path

from allometry.workflow.planning.plan import Plan, Planned

BENCHMARK = "results/benchmarks/{}.tsv"


def planned(name: str, seconds: float, after: tuple[int, ...] = (), cores: int = 1) -> Planned:
    stage = name.partition("/")[0]
    return Planned(
        rule=Path(name).name,
        stage=stage,
        benchmark=BENCHMARK.format(name),
        outputs=(),
        needed=True,
        cores=cores,
        seconds=seconds,
        reference_s=seconds,
        memory=0,
        disk=0,
        files=0,
        known=True,
        earlier=False,
        work={},
        after=after,
        request=None,
    )


def plan(*jobs: Planned, cores: int = 2) -> Plan:
    return Plan(jobs, cores=cores, submits=False, slowness={}, crowding=1.0, overhead_s=0.0, started=0.0)
