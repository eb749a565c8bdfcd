#!/usr/bin/env bash
# Run by Snakemake inside the new conda environment, in the folder of the workflow: installs the package itself.
set -euo pipefail
python -m pip install --no-deps --no-build-isolation -e .
