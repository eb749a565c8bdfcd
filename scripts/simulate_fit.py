"""Fit the model of a run and write what was found."""

from allometry.errors import script_log
from allometry.simulate.features import fit_feature

if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        fit_feature(snakemake.params.parameters, snakemake.output.fit)
