"""The processes of a workflow: one thread in the libraries, caches, commands that start anywhere, one Ctrl-C, no orphans.

A terminal sends Ctrl-C to all processes at once, and each would tell its story. Here the one that the user started says the
sentence, with status 130; what it started ends without a word, also while it still imports.

A Snakemake that is killed leaves a lock and its jobs. The jobs end by themselves, and the next Snakemake takes the lock away.
"""

import atexit
import logging
import os
import shlex
import signal
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from allometry import files
from allometry.errors import ConfigError
from allometry.hints import nearest

STATUS = 130
SENTENCE = "interrupted: what was finished is kept, and the same command continues from there"
#: Set for the processes of a workflow, which are to end quietly: the mark of the Snakemake that started them.
VARIABLE = "ALLOMETRY_WORKFLOW"
_LOOK_S = 1.0


#: Variables that give the linear algebra of a process one thread, if they are set before it is loaded.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def one_thread() -> None:
    """Give linear algebra one thread, here and in all processes that are started from here, whatever the user set.

    How many add up a sum decides its last bits. The kernels of the simulator have threads of their own, which do not.
    """
    os.environ.update(ONE_THREAD)
    if "numpy" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(1, user_api="blas")


def place_caches(environment: MutableMapping[str, str]) -> None:
    """Point the caches of numba, matplotlib and fontconfig to a folder that can be written, where their own cannot.

    Service accounts, containers and read-only disks have no such home folder: numba stops and matplotlib complains there.
    Snakemake itself looks before it reads the Snakefile: the Makefile sees to that.

    Parameters
    ----------
    environment : mapping
        Variables of this process; what the user set stays. Processes that are started inherit them.
    """
    home = environment.get("HOME") or "~"
    caches = Path(environment.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser(home), ".cache"))
    if _can_write(caches):
        return
    try:
        folder = _private_cache()
    except OSError:  # not even a temporary one: the libraries say what they cannot do
        return
    environment["XDG_CACHE_HOME"] = str(folder)
    environment.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))
    # numba keeps its files beside the modules where it can
    if not os.access(Path(__file__).parent, os.W_OK):
        environment.setdefault("NUMBA_CACHE_DIR", str(folder / "numba"))
    if "numba" in sys.modules:
        # numba reads its variables when it is imported
        sys.modules["numba"].config.reload_config()


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _private_cache() -> Path:
    """A folder of this user alone: what lies in a cache of compiled functions is run."""
    folder = Path(tempfile.gettempdir(), f"allometry-cache-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="allometry-cache-"))
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        return folder
    return Path(tempfile.mkdtemp(prefix="allometry-cache-"))


def quiet_in_workflow() -> None:
    """Let an interrupt end this process without a traceback, if it is one of a workflow."""
    if os.environ.get(VARIABLE):
        sys.excepthook = _without_interrupts(sys.excepthook)


def end_with_workflow() -> None:
    """Let this process end, as at SIGTERM, when the Snakemake that started it is dead: nobody waits for it any more."""
    mark = os.environ.get(VARIABLE, "")
    if not mark:
        return

    def watch() -> None:
        while not files.abandoned(mark):
            time.sleep(_LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="end with the workflow", daemon=True).start()


def take_over(folder: Path) -> bool:
    """Note that this Snakemake uses a working folder; take the lock away that those left which were killed in it.

    Parameters
    ----------
    folder : Path
        Where Snakemake keeps its notes.

    Returns
    -------
    bool
        Whether there was such a lock. Where a user of the folder may be alive, on another machine for example, it stays.
    """
    users = folder / "allometry"
    users.mkdir(parents=True, exist_ok=True)
    others = list(users.iterdir())
    mine = users / files.mark()
    mine.touch()
    atexit.register(mine.unlink, missing_ok=True)
    if not all(files.abandoned(other.name) for other in others):
        return False
    locks = list((folder / "locks").glob("*.lock")) if others else []
    for path in (*locks, *others):
        path.unlink(missing_ok=True)
    return bool(locks)


def prepare(is_main: bool) -> None:
    """Set up a process of Snakemake, before anything slow is imported.

    Parameters
    ----------
    is_main : bool
        Whether it is the one that the user started.
    """
    one_thread()
    # a batch system sends it to all processes of a job whose time ends; simulations heed it
    if signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.environ[VARIABLE] = files.mark()
    # Snakemake writes it into commands unquoted, which ends at a space in the path; this process starts nothing else.
    if not sys.executable.startswith("'"):
        sys.executable = shlex.quote(sys.executable)
    # used as a library: Ctrl-C is the caller's affair
    if "snakemake" in sys.argv[0] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        quiet_in_workflow()
        _say_once(SENTENCE if is_main else "")
    if is_main and "snakemake" in sys.argv[0]:
        from allometry.resubmission import count_vain_attempts_only

        calm_scheduler()
        count_vain_attempts_only()
        with suppress(OSError):  # Snakemake says what it cannot write
            if take_over(Path(".snakemake")):
                print("the run before was killed: its lock on this folder is taken away", file=sys.stderr)


def calm_scheduler() -> None:
    """Let Snakemake's scheduler have one timer for its next pass, not one of every pass that ever was.

    With a limit of jobs per second, which is its default, every pass sets a timer for another one, also those passes that
    a finished job has caused: passes per second grow with the jobs that have ended, to a third of a core after three
    hundred of them. Where Snakemake has no such method, nothing is changed.
    """
    from snakemake.scheduling.job_scheduler import JobScheduler

    if not hasattr(JobScheduler, "_schedule_reevalutation"):
        return

    def again(scheduler: Any, delay: float) -> None:
        pending = scheduler.__dict__.get("pending_pass")
        if pending is not None and pending.is_alive():
            return

        def release() -> None:
            # the pass that follows may set the next one while this thread still ends
            scheduler.pending_pass = None
            scheduler._open_jobs.release()

        scheduler.pending_pass = threading.Timer(delay, release)
        scheduler.pending_pass.start()

    JobScheduler._schedule_reevalutation = again


def start(arguments: Sequence[str], arrange: Callable[[Sequence[str]], Sequence[str]] = list) -> int:
    """Run Snakemake in this process, with its own options; two things that it tells in a traceback are one sentence here.

    These are Ctrl-C while it is still imported, and a configuration file that does not exist.

    Parameters
    ----------
    arguments : sequence of str
        Those of the command `snakemake`.
    arrange : callable, optional
        Makes those of `snakemake` out of others; what it imports can be interrupted, too.

    Raises
    ------
    ConfigError
        A configuration file does not exist.
    """
    require_configurations(arguments)
    one_thread()
    os.environ[VARIABLE] = files.mark()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _say_once(SENTENCE)
    try:
        arranged = list(arrange(arguments))
        require_configurations(arranged)
        sys.argv = ["snakemake", *arranged]
        from snakemake.cli import main

        main(arranged)
    except KeyboardInterrupt:
        _end()
    return 0


def require_configurations(arguments: Sequence[str]) -> None:
    """Refuse configuration files that do not exist, which Snakemake tells in a traceback.

    Parameters
    ----------
    arguments : sequence of str
        Those of the command `snakemake`.

    Raises
    ------
    ConfigError
        Names the file, and one that is perhaps meant.
    """
    for name in _configuration_files(arguments):
        if not Path(name).is_file():
            folder = Path(name).parent
            near = nearest(Path(name).name, [path.name for path in folder.glob("*.*")] if folder.is_dir() else [], n=1)
            raise ConfigError(
                "the configuration is a folder" if Path(name).is_dir() else "the configuration does not exist",
                where=f"--configfile {name}",
                expected="a YAML file; a target stands before --configfile, which takes every word after it",
                do=f"perhaps {folder / near[0]} is meant" if near else "name an existing file",
            )


def _configuration_files(arguments: Sequence[str]) -> Iterator[str]:
    """What Snakemake takes for configuration files: every word from the option to the next one."""
    taken = False
    for word in arguments:
        option, equals, value = word.partition("=")
        if word.startswith("-"):
            taken = option in ("--configfile", "--configfiles")
            if taken and equals:
                yield value
        elif taken:
            yield word


def _say_once(sentence: str) -> None:
    def interrupt(number: int, frame: Any) -> None:
        # Errors of jobs that the same signal ended are no news, and Snakemake's own status would be 1.
        if logging.root.manager.disable < logging.CRITICAL:
            logging.disable(logging.CRITICAL)
            atexit.register(_end)
            if sentence:
                print(sentence, file=sys.stderr, flush=True)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)


def _end() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(STATUS)


def _without_interrupts(hook: Callable[..., Any]) -> Callable[..., Any]:
    def show(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            hook(kind, error, traceback)

    return show
