"""Stack the connectomes of C. elegans on the canonical axis."""

from allometry.errors import script_log
from allometry.homogenize.connectomes.worm_stack import stack_worm
from allometry.provenance import of_job

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        stack_worm(
            dict(zip(snakemake.params.names, snakemake.input.stores)),
            snakemake.output.store,
            overwrite=True,
            provenance=of_job(snakemake.params.provenance, snakemake.config),
        )
