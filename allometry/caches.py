"""Caches of the libraries, elsewhere where the home folder cannot be written: service accounts, containers, read-only disks.

numba stops and matplotlib complains there. Snakemake itself looks before it reads the Snakefile: the Makefile sees to that.
"""

import os
import stat
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path


def place(environment: MutableMapping[str, str]) -> None:
    """Point the caches of numba, matplotlib and fontconfig to a folder that can be written, where their own cannot.

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
        folder = _private_folder()
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


def _private_folder() -> Path:
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
