"""Read the files of one data set and write one homogenized store."""

from allometry.errors import script_log
from allometry.homogenize import run
from allometry.provenance import of_job

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        run(
            snakemake.params.source,
            snakemake.wildcards.store,
            snakemake.params.raw_dir,
            snakemake.output.store,
            provenance=of_job(snakemake.params.provenance, snakemake.config),
            options=snakemake.params.options,
            recordings=snakemake.params.recordings,
            overwrite=True,
            threads=snakemake.threads,
        )
