"""Write the benchmark cards of all comparisons, as JSON and as pages."""

from allometry import report
from allometry.errors import script_log


def main() -> None:
    """Add what model recovery says to every card, and show the cards of each comparison on a page."""
    report.write_cards(
        snakemake.input.cards,
        recovery=snakemake.input.recovery,
        data=snakemake.output.data,
        pages=snakemake.output.pages,
    )


if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        main()
