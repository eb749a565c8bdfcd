"""`allometry plot`: a store as an image."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `allometry plot`."""
    parser.add_argument("store", type=Path, help="a store of any kind")
    parser.add_argument(
        "--plot", metavar="NAME", help="which plot (default: the first of the kind; a wrong name lists them)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="image, .png, .svg or .pdf (default: NAME.png here)")
    parser.add_argument("--overwrite", action="store_true", help="replace an image that is there already")


def run(arguments: argparse.Namespace) -> int:
    """Draw the store; return the exit status."""
    from allometry.report.plots import plot

    out = arguments.out or Path(f"{arguments.store.name.removesuffix('.zarr')}.png")
    said = plot(arguments.store, out, arguments.plot, overwrite=arguments.overwrite)
    print(f"{out}\n{said}")
    return 0
