"""Solve a coarse-grained model for networks its tables have not seen, and write what it misses of them."""

from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.scale.coarse.jobs import evaluation_job

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        evaluation_job(
            snakemake.params.settings,
            snakemake.wildcards.coarse,
            snakemake.input.tables,
            snakemake.params.observed,
            snakemake.output.store,
            of_job(snakemake.params.provenance, snakemake.config),
        )
