"""Simulate one point of a configured run and write its store."""

from allometry.config import validate
from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.simulate.point import configured, run_point

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        cfg = validate(snakemake.config, "the configuration")
        run_point(
            snakemake.params.parameters,
            snakemake.output.store,
            next(iter(snakemake.input.connectome), None),
            configured(
                cfg.simulate.model_dump(), cfg.cluster.model_dump(), snakemake.threads, snakemake.params.checkpoint
            ),
            overwrite=True,
            provenance=of_job(snakemake.params.provenance, snakemake.config),
        )
