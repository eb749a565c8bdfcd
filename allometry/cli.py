"""The `allometry` command: run the workflow or one model, look at stores and check them.

A subcommand is one `Command` in `COMMANDS`; what it needs is imported when it runs, so that `--help` stays instant.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from allometry import __version__
from allometry.errors import AllometryError, ConfigError, terminable
from allometry.pathnames import EXPECTED, is_name
from allometry.processes import one_thread
from allometry.simulate import command as simulation
from allometry.terminal import new, outward, plotting


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


def _verify(arguments: argparse.Namespace) -> int:
    from allometry.workflow.keeping import verification

    found = verification.verify(arguments.path)
    if arguments.repair and found.damaged:
        for problem in found.problems:
            print(problem)
        verification.repair(found.damaged, arguments.configfile, arguments.cores)
        found = verification.verify(arguments.path)
    for problem in found.problems:
        print(problem)
    print(found.summary)
    return 1 if found.problems else 0


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="+", type=Path, help="store, or directory that is searched (results/)")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="remove what is damaged and have Snakemake build exactly that again, in this checkout",
    )
    parser.add_argument(
        "--configfile", action="append", default=[], type=Path, help="configuration of these results (config.yaml)"
    )
    parser.add_argument("--cores", default="all", help="cores for the repair (all)")


def _diff(arguments: argparse.Namespace) -> int:
    from allometry import stores

    lines = stores.diff(arguments.a, arguments.b, rtol=arguments.rtol, atol=arguments.atol)
    for line in lines:
        print(line)
    return 1 if lines else 0


def _diff_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", type=Path, help="a store")
    parser.add_argument("b", type=Path, help="another store")
    parser.add_argument(
        "--rtol", type=float, default=0.0, help="relative difference of floating values to pass over (0)"
    )
    parser.add_argument(
        "--atol", type=float, default=0.0, help="absolute difference of floating values to pass over (0)"
    )


def _info(arguments: argparse.Namespace) -> int:
    from allometry.stores.summaries.info import info

    print("\n\n".join(info(path) for path in arguments.store))
    return 0


def _info_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("store", nargs="+", type=Path, help="a store")


def _catalog(arguments: argparse.Namespace) -> int:
    import pandas as pd

    from allometry.stores.folders.catalog import catalog, printed

    table = pd.concat([catalog(path) for path in arguments.path], ignore_index=True)
    if arguments.csv is not None:
        table.to_csv(arguments.csv, index=False)
        print(f"{arguments.csv}: {len(table)} recordings")
        return 0
    print(printed(table))
    return 0


def _catalog_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="*", type=Path, default=[Path("results")], help="store, or folder (results/)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table with all columns to a file")


def _published(arguments: argparse.Namespace) -> int:
    from allometry import config
    from allometry.report import published

    cfg = config.load(arguments.configfile)
    registry = config.load_registry(cfg)
    entries = {
        (store["kind"], name): store.get("published") or entry.get("published")
        for entry in registry.values()
        for name, store in entry["stores"].items()
    }
    wanted = [(kind, name) for kind in ("activity", "connectome") for name in getattr(cfg.homogenize, kind)]
    table = published.table(arguments.results, {key: entries.get(key) for key in wanted})
    if arguments.csv is not None:
        table.to_csv(arguments.csv, index=False)
        print(f"{arguments.csv}: {len(table)} rows")
        return 0
    print(published.printed(table))
    return 0


def _published_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results", nargs="?", type=Path, default=Path("results"), help="folder of the results (results)"
    )
    parser.add_argument(
        "--configfile",
        type=Path,
        default=Path("config.yaml"),
        help="configuration of these results (config.yaml)",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to a file")


def _inspect(arguments: argparse.Namespace) -> int:
    from allometry import config, plugins
    from allometry.homogenize.inspection import configuration, examine

    plugins.use(arguments.plugin)
    if arguments.write is not None and arguments.write.exists():
        raise ConfigError("the file is there already", where=str(arguments.write), do="name another one, or delete it")
    found = examine.examine(arguments.path, read=not arguments.quick)
    # the registry of this checkout, where there is one
    shipped = config.Config()
    registry = config.load_registry(shipped) if Path(shipped.registry).is_file() else {}
    made = configuration.text(found, registry, arguments.name)
    print(configuration.report(found))
    if arguments.write is None:
        print(made, end="")
        return 0
    arguments.write.write_text(made, encoding="utf-8")
    print(f"{arguments.write}: written; `allometry run {arguments.write} homogenize` reads the files")
    return 0


def _inspect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="+", type=Path, help="file or folder; a folder is searched")
    parser.add_argument("--write", type=Path, metavar="FILE", help="save the configuration in a new file")
    parser.add_argument("--quick", action="store_true", help="only look: do not try to read what was found")
    parser.add_argument("--name", default="", type=_data_set_name, help="name of the data set (made from the file's)")
    parser.add_argument(
        "--plugin", action="append", default=[], help="folder, module or package with readers of your own"
    )


def _data_set_name(text: str) -> str:
    if text and not is_name(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name: {EXPECTED}")
    return text


def _doctor(arguments: argparse.Namespace) -> int:
    from allometry.terminal.doctor import run

    return run()


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """The command has none."""


def _run(arguments: argparse.Namespace) -> int:
    from allometry.terminal.run import run

    return run([option for option in arguments.options if option != _REST])


# Before words that are another program's, options among them; with these options of ours there are none
_REST = "--"
_OURS = {"run": ("-h", "--help"), "plan": ("-h", "--help", "--check")}


def separated(words: Sequence[str]) -> list[str]:
    """Words of the command line, with a mark where those of snakemake begin."""
    command, rest = list(words[:1]), list(words[1:])
    ours = _OURS.get(command[0]) if command else None
    return [*command, *([_REST] if ours and rest and rest[0] not in ours else []), *rest]


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "allometry run [CONFIG...] [TARGET...] [OPTION...]"
    parser.add_argument(
        "options",
        nargs=argparse.REMAINDER,
        metavar="CONFIG, TARGET, OPTION",
        help="configurations (.yaml; config.yaml), targets (retrieve, homogenize, simulate, scale, compare, report, a file; all) "
        "and options of snakemake (--cores all; --dry-run; snakemake --help)",
    )


def _plan(arguments: argparse.Namespace) -> int:
    from allometry.workflow.planning import plan, plan_text

    if arguments.check is not None:
        print(plan_text.check_text(plan_text.outcomes(arguments.check)))
        return 0
    from allometry.terminal.arguments import arranged, placed

    words = placed([option for option in arguments.options if option != _REST])
    print(plan_text.text(plan.plan(arranged(words))))
    return 0


def _plan_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--check",
        nargs="?",
        const=Path("results"),
        type=Path,
        metavar="RESULTS",
        help="compare the plan of the latest run with what was measured (results)",
    )
    parser.add_argument("options", nargs=argparse.REMAINDER, help="options and targets of snakemake, as for `run`")


def _archive(arguments: argparse.Namespace) -> int:
    from allometry.workflow.keeping import archive

    if arguments.check:
        print(f"the archive is complete: {archive.check(arguments.folder)} files")
        return 0
    if arguments.against:
        count, lines = archive.against(arguments.folder)
        for line in lines:
            print(line)
        print(f"{count} stores compared, {count - len(lines)} have the archived content")
        return 1 if lines else 0
    archive.create(arguments.folder, arguments.configfile, packages=not arguments.without_packages)
    print(f"{arguments.folder}: complete; ./rebuild.sh in it builds the results again, without a network")
    return 0


def _archive_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="the archive: a new folder, or the one to check or compare with")
    parser.add_argument(
        "--configfile", action="append", default=[], type=Path, help="configuration of the results (config.yaml)"
    )
    parser.add_argument("--without-packages", action="store_true", help="leave out the packages of the lock file")
    parser.add_argument("--check", action="store_true", help="compare the archive with its own list")
    parser.add_argument("--against", action="store_true", help="compare the results here with those archived")


def _reference(arguments: argparse.Namespace) -> int:
    from allometry.workflow.keeping import reference

    if arguments.make:
        print(f"{arguments.file}: the content of {reference.make(arguments.file, arguments.results)} stores")
        return 0
    count, lines = reference.differences(arguments.file, arguments.results)
    for line in lines:
        print(line)
    print(
        f"compared with the {count} stores of the reference: {len(lines) or 'no'} difference{'s' * (len(lines) != 1)}"
    )
    return 1 if lines else 0


def _reference_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the reference, a JSON file")
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"), help="folder of stores (results)")
    parser.add_argument("--make", action="store_true", help="write the reference from these results")


def _resolve(arguments: argparse.Namespace) -> int:
    from allometry.workflow import recording_sessions

    print(recording_sessions.resolve(arguments.configfile, arguments.collection, again=arguments.again))
    return 0


def _resolve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--configfile", action="append", default=[], type=Path, help="configuration with collections (config.yaml)"
    )
    parser.add_argument("--again", action="store_true", help="ask for sessions that are known already as well")
    parser.add_argument(
        "--collection", action="append", default=[], metavar="NAME", help="ask for this collection alone (all)"
    )


COMMANDS: tuple[Command, ...] = (
    Command(
        "run", "run the workflow, and say what it does, how long it takes and what was found", _run_arguments, _run
    ),
    Command("plan", "say what a run would take, and afterwards how well", _plan_arguments, _plan),
    Command("new", "write a configuration to start from", new.configure, new.run),
    Command("inspect", "say what files are, and print the configuration that reads them", _inspect_arguments, _inspect),
    Command("resolve", "ask archives for the sessions of a configuration, and list them", _resolve_arguments, _resolve),
    Command("simulate", "run a network model and write its spikes", simulation.configure, simulation.run),
    Command("info", "describe a store on one screen", _info_arguments, _info),
    Command("catalog", "list every recording, with species, area, hours and licence", _catalog_arguments, _catalog),
    Command("plot", "draw a store of any kind", plotting.configure, plotting.run),
    Command("export", "write a store in the format of another tool", outward.configure_export, outward.export),
    Command("verify", "compare every file with the manifests", _verify_arguments, _verify),
    Command("diff", "say in what the content of two stores differs", _diff_arguments, _diff),
    Command(
        "reference", "compare the content of all stores with that of a reference", _reference_arguments, _reference
    ),
    Command("published", "hold what was counted against what is published", _published_arguments, _published),
    Command("archive", "put all that a rerun needs into one folder", _archive_arguments, _archive),
    Command(
        "crate",
        "describe a run as a Workflow Run RO-Crate, for archives and registries",
        outward.configure_crate,
        outward.crate,
    ),
    Command("doctor", "say whether this machine and this environment can run the workflow", _no_arguments, _doctor),
)


def parser() -> argparse.ArgumentParser:
    """Build the parser of all subcommands."""
    top = argparse.ArgumentParser(
        prog="allometry", description="Neural data from worm to cortex: simulate, and look at stores."
    )
    top.add_argument("--version", action="version", version=f"allometry {__version__}")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        sub = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.configure(sub)
        sub.set_defaults(run=command.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (1 for problems, differences and errors, 75 for a simulation that ran out of time); without a command, show the help."""
    words = separated(sys.argv[1:] if argv is None else argv)
    arguments = parser().parse_args(words or ["--help"])
    one_thread()
    try:
        with terminable():
            status: int = arguments.run(arguments)
        sys.stdout.flush()
    except AllometryError as error:
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt as error:
        print(error if error.args else "interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader (head, less) has seen enough; the interpreter must not complain about it at exit
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115
        return 0
    return status
