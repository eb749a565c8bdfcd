"""Fetch and verify all files of one data set."""

from pathlib import Path

from allometry import retrieve
from allometry.config import load_registry, validate
from allometry.errors import script_log


def main() -> None:
    """Settings of the network and places come from the configuration, not from params: changing them must not fetch anew."""
    cfg = validate(snakemake.config, "the configuration")
    registry = load_registry(cfg, Path(snakemake.scriptdir).parent)
    wanted = {file["name"] for file in snakemake.params.files}
    retrieve.run(
        snakemake.params.source,
        {"files": [file for file in registry[snakemake.params.source]["files"] if file["name"] in wanted]},
        raw_dir=Path(snakemake.output.manifest).parent,
        mirror=cfg.mirror,
        cache_dir="results/raw/.cache",
        lock="config/datasets.lock.yaml",
        **cfg.retrieve.model_dump(),
    )


if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        main()
