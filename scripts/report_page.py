"""Write the report page."""

from allometry import report
from allometry.errors import script_log
from allometry.provenance import of_job


def main() -> None:
    """Collect figures, tables and provenance on one page."""
    report.write_page(
        snakemake.output.page,
        stores=snakemake.input.stores,
        images=snakemake.input.images,
        cards=snakemake.input.cards,
        configuration=snakemake.params.configuration,
        sources=snakemake.params.sources,
        unused=snakemake.params.unused,
        left_out=snakemake.params.left_out,
        benchmarks=snakemake.params.benchmarks,
        manifest=snakemake.output.manifest,
        provenance=of_job({"rule": "write_page"}, snakemake.config),
    )


if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        main()
