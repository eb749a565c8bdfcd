"""Fetch and verify all files of one data set."""

from pathlib import Path

from allometry import retrieve
from allometry.errors import script_log


def main() -> None:
    """Settings of the network come from the configuration, not from params: changing them must not fetch anew."""
    retrieve.run(
        snakemake.params.source,
        {"files": snakemake.params.files},
        raw_dir=Path(snakemake.output.manifest).parent,
        mirror=snakemake.config.get("mirror"),
        cache_dir="results/raw/.cache",
        lock="config/datasets.lock.yaml",
        **(snakemake.config.get("retrieve") or {}),
    )


if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        main()
