"""Write the responses of the units of a run to its stimuli."""

from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.simulate.features import gather
from allometry.simulate.responses import write_responses

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        write = {"network": write_responses, "feature": gather}[snakemake.params.kind]
        write(
            snakemake.params.trials,
            snakemake.output.store,
            **snakemake.params.options,
            provenance=of_job(snakemake.params.provenance, snakemake.config),
        )
