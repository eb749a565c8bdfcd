"""Gather the jobs of one study and write its Scaling store."""

from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.scale.study import write_study

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        write_study(
            snakemake.params.study,
            snakemake.wildcards.study,
            snakemake.output.store,
            statistics=snakemake.input.statistics,
            spikes=snakemake.params.spikes,
            calibrations=snakemake.input.calibrations,
            jobs_manifest=snakemake.output.jobs,
            provenance=of_job(snakemake.params.provenance, snakemake.config),
        )
