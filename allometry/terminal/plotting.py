"""`allometry plot`: stores as an image, or the numbers of one."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `allometry plot`."""
    parser.add_argument("store", nargs="+", type=Path, help="a store of any kind, or several that one plot shows")
    parser.add_argument(
        "--plot", metavar="NAME", help="which plot (default: the first of the kind; a wrong name lists them)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=".png, .svg, .pdf, or .csv for its numbers (default: NAME.png here)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the plot, window_ms=500 for example",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an image that is there already")


def run(arguments: argparse.Namespace) -> int:
    """Draw the stores; return the exit status."""
    from allometry.report.plots import option, plot

    out = arguments.out or Path(f"{arguments.store[0].name.removesuffix('.zarr')}.png")
    options = dict(option(text) for text in arguments.set)
    said = plot(arguments.store, out, arguments.plot, overwrite=arguments.overwrite, options=options)
    print(f"{out}\n{said}")
    return 0
