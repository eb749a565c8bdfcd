"""Record single cells under clamp, and write the store."""

from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.simulate.clamps.writing import write_clamp

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        write_clamp(
            snakemake.params.settings,
            snakemake.output.store,
            overwrite=True,
            provenance=of_job(snakemake.params.provenance, snakemake.config),
        )
