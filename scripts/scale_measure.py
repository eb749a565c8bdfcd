"""Take the statistics of one job of a study and write them."""

from allometry.errors import script_log
from allometry.scale.simulations import measure_job

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        measure_job(snakemake.params.places, snakemake.output.statistics, **snakemake.params.options)
