"""The `allometry` command: look at stores and check them.

A subcommand is one `Command` in `COMMANDS`; what it needs is imported when it runs, so that `--help` stays instant.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from allometry.errors import AllometryError, terminable
from allometry.simulate import command as simulation


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Parameters
    ----------
    name, help : str
    configure : callable
        Adds the arguments to the subcommand's parser.
    run : callable
        Does the work and returns the exit status.
    """

    name: str
    help: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def find_stores(path: Path) -> Iterator[Path]:
    """Yield the stores at or below a path, what stands in place of one, and those of which only the manifest is left."""
    if path.suffix == ".zarr":
        yield path
        return
    for folder, folders, names in _walk(path):
        for store in [folder] if _is_store(folder) else [folder / name for name in sorted((*folders, *names))]:
            if _is_store(store):
                yield store
            elif store.name.endswith(".manifest.json"):
                missing = store.with_name(store.name.removesuffix(".manifest.json") + ".zarr")
                if not os.path.lexists(missing):
                    yield missing


def find_file_manifests(path: Path) -> Iterator[Path]:
    """Yield the manifests of plain files below a directory: of retrieved data sets, and of the report."""
    for folder, _, names in _walk(path):
        if "manifest.json" in names and not _is_store(folder):
            yield folder / "manifest.json"


def _is_store(path: Path) -> bool:
    return path.suffix == ".zarr" or (path / "zarr.json").exists()


def _walk(path: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Go through folders as `os.walk` does, but not into stores or hidden folders, and into linked ones once."""
    seen = set()
    for name, folders, names in os.walk(path, followlinks=True):
        folder, real = Path(name), os.path.realpath(name)
        visible = [] if real in seen else sorted(entry for entry in folders if not entry.startswith("."))
        if real not in seen:
            yield folder, visible, [entry for entry in names if not entry.startswith(".")]
        folders[:] = [] if _is_store(folder) else [entry for entry in visible if not _is_store(folder / entry)]
        seen.add(real)


def _verify(arguments: argparse.Namespace) -> int:
    from allometry import stores
    from allometry.stores.file_manifest import verify_files

    problems: list[str] = []
    count = files = 0
    for path in arguments.path:
        if path.suffix != ".zarr" and not path.is_dir():
            problems.append(f"{path}: is neither a store nor a directory")
            continue
        found, manifests = list(find_stores(path)), list(find_file_manifests(path))
        if not found and not manifests:
            problems.append(f"{path}: holds no store")
        count += len(found)
        for store in found:
            problems += stores.verify(store)
        for manifest in manifests:
            number, wrong = verify_files(manifest)
            files += number
            problems += wrong
    for problem in problems:
        print(problem)
    others = f" and {files} other files" if files else ""
    print(f"{count} stores{others} checked, {len(problems) or 'no'} problem{'s' * (len(problems) != 1)}")
    return 1 if problems else 0


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="+", type=Path, help="store, or directory that is searched (results/)")


def _diff(arguments: argparse.Namespace) -> int:
    from allometry import stores

    lines = stores.diff(arguments.a, arguments.b)
    for line in lines:
        print(line)
    return 1 if lines else 0


def _diff_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", type=Path, help="a store")
    parser.add_argument("b", type=Path, help="another store")


def _info(arguments: argparse.Namespace) -> int:
    from allometry.stores.info import info

    print("\n\n".join(info(path) for path in arguments.store))
    return 0


def _info_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("store", nargs="+", type=Path, help="a store")


COMMANDS: tuple[Command, ...] = (
    Command("verify", "compare every file with the manifests", _verify_arguments, _verify),
    Command("diff", "say in what the content of two stores differs", _diff_arguments, _diff),
    Command("info", "describe a store on one screen", _info_arguments, _info),
    Command("simulate", "run a network model and write its spikes", simulation.configure, simulation.run),
)


def parser() -> argparse.ArgumentParser:
    """Build the parser of all subcommands."""
    top = argparse.ArgumentParser(
        prog="allometry", description="Neural data from worm to cortex: simulate, and look at stores."
    )
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.configure(sub)
        sub.set_defaults(run=command.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (1 for problems, differences and errors)."""
    arguments = parser().parse_args(argv)
    try:
        with terminable():
            status: int = arguments.run(arguments)
        sys.stdout.flush()
    except AllometryError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        print(error if error.args else "interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader (head, less) has seen enough; the interpreter must not complain about it at exit
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115
        return 0
    return status
