"""`allometry export` and `allometry crate`: what a run made, for other tools and for archives."""

import argparse
from pathlib import Path


def configure_export(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `allometry export`."""
    parser.add_argument("store", type=Path, help="a store")
    parser.add_argument("--to", required=True, metavar="FORMAT", help="nwb, netcdf, csv, parquet, graphml or sonata")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="file to write")


def export(arguments: argparse.Namespace) -> int:
    """Write the store in the format; return the exit status."""
    from allometry.export import export as write

    print(write(arguments.store, arguments.to, arguments.out))
    return 0


def configure_crate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `allometry crate`."""
    parser.add_argument("folder", type=Path, help="the crate, a new folder")
    parser.add_argument("--results", type=Path, default=Path("results"), help="what a run made (results)")
    parser.add_argument("--author", default="", metavar="NAME", help="who ran it")


def crate(arguments: argparse.Namespace) -> int:
    """Write the crate; return the exit status."""
    from allometry.workflow.keeping.crate import METADATA, create

    holds = create(arguments.folder, arguments.results, author=arguments.author)
    counted = ", ".join(f"{count:,} {what}" for what, count in holds.items())
    print(f"{arguments.folder}: {counted}; described in {arguments.folder / METADATA}")
    return 0
