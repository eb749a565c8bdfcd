"""Compute the responses of one point of a run of a feature model and write its store."""

from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.simulate.features import run_feature

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        run_feature(
            snakemake.params.parameters,
            snakemake.output.store,
            next(iter(snakemake.input.fit), None),
            overwrite=True,
            provenance=of_job(snakemake.params.provenance, snakemake.config),
        )
