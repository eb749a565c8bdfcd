"""`allometry run`: Snakemake with its arguments in the right order, a screen for people, and what was found at the end."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from allometry import processes
from allometry.errors import QUIET_JOBS, AllometryError
from allometry.report.findings import findings
from allometry.stores.folders.finding import find_stores
from allometry.terminal.arguments import arranged, placed

PAGE = Path("results/report/index.html")
# With one of these a person wants Snakemake's own words.
_OWN = ("--logger", "--verbose", "--quiet", "-q", "--debug-dag", "--print-compilation", "--lint")
# With one of these nothing is built.
_LOOKS = frozenset(
    [
        "--dry-run",
        "--dryrun",
        "-n",
        "--lint",
        "--list",
        "-l",
        "--dag",
        "--rulegraph",
        "--filegraph",
        "--summary",
        "-S",
        "--detailed-summary",
        "-D",
        "--unlock",
        "--report",
        "--touch",
        "-t",
        "--help",
        "-h",
        "--version",
        "-v",
    ]
)


def run(words: Sequence[str]) -> int:
    """Run the workflow in the current folder, which gets the results.

    Parameters
    ----------
    words : sequence of str
        Configurations, targets and options of Snakemake.

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    ConfigError
        There is no workflow, here or around the package, or a configuration is missing.
    """
    words = placed(words)
    shown = not any(word.split("=")[0] in _OWN for word in words)
    if shown:
        os.environ[QUIET_JOBS] = "1"
    try:
        status = processes.start(words, lambda given: _arguments(given, shown))
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        os.environ.pop(QUIET_JOBS, None)
    if status == 0 and shown and not any(word.split("=")[0] in _LOOKS for word in words):
        for line in closing(_directory(words)):
            print(line, file=sys.stderr)
    return status


def _arguments(words: Sequence[str], shown: bool) -> list[str]:
    out = arranged(words)
    if shown:
        from allometry.terminal import display

        display.register()
        # before --configfile, which takes every word after it
        place = out.index("--configfile") if "--configfile" in out else len(out)
        out[place:place] = ["--logger", "allometry"]
    return out


def _directory(words: Sequence[str]) -> Path:
    for place, word in enumerate(words):
        if word in ("--directory", "-d") and place + 1 < len(words):
            return Path(words[place + 1])
        if word.startswith("--directory="):
            return Path(word.partition("=")[2])
    return Path()


def closing(folder: Path) -> list[str]:
    """The address of the report, and the three most important findings behind it.

    Parameters
    ----------
    folder : Path
        Folder with `results`.

    Returns
    -------
    list of str
        Lines; none where there is no report.
    """
    page = folder / PAGE
    if not page.is_file():
        return []
    paths = [path for stage in ("compared", "scaled") for path in find_stores(folder / "results" / stage)]
    try:
        found = findings(paths)
    except AllometryError as error:
        found, note = [], f"(no findings: {error.what})"
    else:
        note = "" if found else "(no result was judged)"
    lines = [f"Report: {page.resolve().as_uri()} {note}".rstrip()]
    return lines + [f"  {number}. {finding.text}" for number, finding in enumerate(found, start=1)]
