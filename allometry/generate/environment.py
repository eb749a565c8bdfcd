"""The conda environment file, derived from the lock file."""

import re
from pathlib import Path

HEADER = """\
# Generated from envs/requirements.lock by `python -m allometry.generate`: do not edit.
# For `snakemake --sdm conda`; allometry.post-deploy.sh beside it installs the package itself. Untested where it was written:
# conda channels were not reachable there. The environment that is tested is the one `make run` creates.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python >=3.11,<3.14
  - pip
  - pip:
"""


def conda_file(root: Path) -> str:
    """Conda file with the versions of the lock file.

    Parameters
    ----------
    root : path
        Root of the checkout.
    """
    lock = (root / "envs" / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([A-Za-z0-9_.\[\]-]+==[^\s;\\]+)(?:\s*;\s*([^\\\n]+?))?\s*\\?$", lock, flags=re.MULTILINE)
    lines = [f"      - {name}" + (f" ; {marker.strip()}" if marker else "") for name, marker in pinned]
    return HEADER + "\n".join(lines) + "\n"
