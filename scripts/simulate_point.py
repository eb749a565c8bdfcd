"""Simulate one point of a configured run and write its store."""

from pathlib import Path

from allometry.config import validate
from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.simulate import Execution
from allometry.simulate.point import cluster_options, run_point

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        # How a point is executed does not determine its spikes: it is no parameter of the rule, so that another cluster
        # or another number of threads does not rerun what is done.
        cfg = validate(snakemake.config, "the configuration")
        simulate = cfg.simulate
        run_point(
            snakemake.params.parameters,
            snakemake.output.store,
            next(iter(snakemake.input.connectome), None),
            Execution(
                partitions=simulate.partitions,
                threads=simulate.threads,
                cores=snakemake.threads,
                checkpoint=Path(snakemake.params.checkpoint) if simulate.checkpoint_ms else None,
                checkpoint_ms=simulate.checkpoint_ms or 1000.0,
                memory_gib=simulate.memory_gib,
                cluster=cluster_options(cfg.cluster.model_dump()),
            ),
            overwrite=True,
            provenance=of_job(snakemake.params.provenance, snakemake.config),
        )
