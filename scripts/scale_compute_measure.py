"""Measure one part of a study of compute scaling."""

from allometry.errors import script_log
from allometry.workflow.stage_times import measure

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        measure(snakemake.wildcards.part, snakemake.params.study, snakemake.output.measured)
