"""Record a run as an experiment would have, and write the store."""

from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.simulate.recordings.experiment import write_recording

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        write_recording(
            snakemake.params.trials,
            snakemake.output.store,
            next(iter(snakemake.input.like), None),
            snakemake.params.settings,
            overwrite=True,
            provenance=of_job(snakemake.params.provenance, snakemake.config),
        )
