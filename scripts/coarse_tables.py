"""Take the response tables of a coarse-grained model from the networks of its training."""

from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.scale.coarse.jobs import table_job

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        table_job(
            snakemake.params.settings,
            snakemake.params.observed,
            snakemake.output.store,
            of_job(snakemake.params.provenance, snakemake.config),
        )
