"""Gather what a study of compute scaling measured, fit its cost model and write its store."""

from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.scale.compute.study import write_compute

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        write_compute(
            snakemake.params.study,
            snakemake.wildcards.study,
            snakemake.output.store,
            measured=dict(snakemake.input.items()),
            provenance=of_job(snakemake.params.provenance, snakemake.config),
        )
