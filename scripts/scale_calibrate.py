"""Calibrate the free factors of one size and scheme of a study and write them."""

from allometry.config import validate
from allometry.errors import script_log
from allometry.scale.simulations import calibrate_job
from allometry.simulate.point import configured

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        cfg = validate(snakemake.config, "the configuration")
        calibrate_job(
            snakemake.params.parameters,
            snakemake.params.factors,
            snakemake.output.found,
            # a calibration is many short simulations: it starts over
            configured(
                {**cfg.simulate.model_dump(), "checkpoint": "off"}, cfg.cluster.model_dump(), snakemake.threads, ""
            ),
            reference=snakemake.input.reference,
        )
