"""The words of `allometry run` as Snakemake wants them: targets, options, the workflow, and the configurations last."""

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from allometry.errors import ConfigError

#: Folder of the checkout that the package lies in, if it lies in one.
CHECKOUT = Path(__file__).parents[2]
SUFFIXES = (".yaml", ".yml", ".json")
# With one of these Snakemake knows by itself how many jobs may run.
_CORES = ("cores", "jobs", "profile", "workflow_profile", "executor")


def is_configuration(word: str) -> bool:
    """Whether a word of the command line names a configuration."""
    return not word.startswith("-") and Path(word).suffix.lower() in SUFFIXES


def arranged(words: Sequence[str]) -> list[str]:
    """Arguments of Snakemake for the words of `allometry run [CONFIG...] [TARGET...] [OPTION...]`.

    Snakemake takes every word after `--configfile` for a configuration, and a configuration without it for a target.

    Parameters
    ----------
    words : sequence of str
        Configurations (`.yaml`, `.yml`, `.json`), targets and options of Snakemake in any order.

    Returns
    -------
    list of str
        Targets, options, `--cores all` where nothing says how many, and the configurations.

    Raises
    ------
    ConfigError
        Configurations are named in both ways.
    """
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    leading, options = list(words[:first]), list(words[first:])
    known = _parsed(options)
    # targets behind the options
    moved = [word for word in getattr(known, "targets", None) or [] if is_configuration(str(word))]
    for word in moved:
        options.reverse()
        options.remove(word)
        options.reverse()
    files = [word for word in leading if is_configuration(word)] + moved
    if files and getattr(known, "configfile", None):
        raise ConfigError(
            "configurations are named in two ways",
            where=f"{' '.join(files)}, and --configfile {' '.join(map(str, known.configfile))}",
            expected="all of them as words, or all of them after --configfile",
            do="leave out --configfile",
        )
    out = [word for word in leading if not is_configuration(word)] + options
    if known is not None and not any(getattr(known, name, None) for name in _CORES):
        out += ["--cores", "all"]
    return out + (["--configfile", *files] if files else [])


def placed(words: Sequence[str]) -> list[str]:
    """Words with the option that names the workflow, where the current folder has none: that of the package's checkout.

    Parameters
    ----------
    words : sequence of str
        Configurations, targets and options of Snakemake.

    Returns
    -------
    list of str
        The words, and `--snakefile` where it is needed.

    Raises
    ------
    ConfigError
        There is no workflow, here or around the package; or it is not here, and no configuration is named.
    """
    named = any(word.split("=")[0] in ("--snakefile", "-s", "--help", "-h", "--version", "-v") for word in words)
    if named or any(Path(name).is_file() for name in ("Snakefile", "workflow/Snakefile")):
        return list(words)
    workflow = CHECKOUT / "Snakefile"
    if not workflow.is_file():
        raise ConfigError(
            "there is no workflow in this folder",
            where=str(Path.cwd()),
            expected="a checkout of Allometry, with its Snakefile",
            do="change into the checkout; results go elsewhere with --directory FOLDER",
        )
    if not any(map(is_configuration, words)):
        raise ConfigError(
            "no configuration is named",
            where=str(Path.cwd()),
            expected=f"a configuration of yours, or the folder of the checkout, which has one: {CHECKOUT}",
            do="`allometry new my.yaml` or `allometry inspect FILE... --write my.yaml`, then `allometry run my.yaml`",
        )
    return [*words, "--snakefile", str(workflow)]


def _parsed(options: Sequence[str]) -> Any:
    """Options as Snakemake understands them; None where it does not, and will say so itself."""
    from snakemake.cli import get_argument_parser

    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            return get_argument_parser().parse_args(list(options))
    except SystemExit:
        return None
