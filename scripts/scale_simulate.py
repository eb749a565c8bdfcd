"""Simulate every condition of one job of a study and write their stores."""

from allometry.config import validate
from allometry.errors import script_log
from allometry.provenance import of_job
from allometry.scale.simulations import simulate_job
from allometry.simulate.point import configured

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        cfg = validate(snakemake.config, "the configuration")
        simulate_job(
            snakemake.params.parameters,
            snakemake.output.stores,
            configured(
                cfg.simulate.model_dump(), cfg.cluster.model_dump(), snakemake.threads, snakemake.params.checkpoint
            ),
            calibration=next(iter(snakemake.input.calibration), None),
            provenance=of_job(snakemake.params.provenance, snakemake.config),
            fits=snakemake.input.fits,
        )
