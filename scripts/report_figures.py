"""Draw all figures of one kind of result."""

from allometry import report
from allometry.errors import script_log


def main() -> None:
    """Draw what the rule lists."""
    report.draw(snakemake.params.figures, snakemake.output.images)


if __name__ == "__main__":
    with script_log(snakemake.log[0]):
        main()
