"""Compute one configured comparison and write its Scores store."""

from allometry.compare.runner import run
from allometry.errors import script_log
from allometry.provenance import of_job

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        run(
            snakemake.params.options,
            snakemake.params.paths,
            snakemake.output.store,
            cards=snakemake.output.cards,
            overwrite=True,
            provenance=of_job(snakemake.params.provenance, snakemake.config),
        )
