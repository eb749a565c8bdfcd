"""Write the report page."""

from allometry import report
from allometry.errors import script_log


def main() -> None:
    """Collect figures, tables and provenance on one page."""
    report.write_page(
        snakemake.output.page,
        stores=[path for path in snakemake.input.stores if path.endswith(".zarr")],
        images=snakemake.input.images,
        configuration=snakemake.params.configuration,
        sources=snakemake.params.sources,
        unused=snakemake.params.unused,
    )


if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        main()
