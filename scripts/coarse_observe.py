"""Simulate one network under all stimuli of a coarse-grained model and write its stores."""

from allometry.config import validate
from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.scale.coarse.jobs import observe_job
from allometry.simulate.point import configured

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        cfg = validate(snakemake.config, "the configuration")
        observe_job(
            snakemake.params.settings,
            snakemake.params.seed,
            snakemake.output.stores,
            configured(
                cfg.simulate.model_dump(), cfg.cluster.model_dump(), snakemake.threads, snakemake.params.checkpoint
            ),
            of_job(snakemake.params.provenance, snakemake.config),
        )
