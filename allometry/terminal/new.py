"""`allometry new`: a configuration to start from, with a comment on every part."""

import argparse
from pathlib import Path

from allometry import config, files
from allometry.errors import ConfigError

TEXT = """\
# A configuration of Allometry, to be changed. It is complete by itself: config.yaml is not read beside it.
#
#     allometry run {name} --dry-run      what would be done
#     allometry run {name}                do it; the report is results/report/index.html
#
# Every key is described in docs/configuration.md, with its default in config/default.yaml. A key that is misspelt is refused,
# and the nearest one is named.

# Folder that is tried before any download; the environment variable ALLOMETRY_MIRROR does the same.
mirror: null

# Your own files, in any of the layouts that `allometry inspect FILE...` knows: it prints the lines for them.
# datasets:
#   my_worms:
#     reader: generic
#     species: Caenorhabditis elegans
#     files: [recordings/worm_1.csv, recordings/worm_2.csv]
#     options: {{rate_hz: 3.0}}

# Data that are brought into one form. The names are those of docs/datasets.md, and of your own data sets.
homogenize:
  connectome:
    - cook2019_hermaphrodite
    - witvliet2020_8
    - randi2023_wt
  activity: []

# Networks that are simulated. Each combination of parameters and seeds is a job and a store of its own.
simulate:
  runs:
    microcircuit:
      kind: network
      model: microcircuit  # docs/models.md has the models and their parameters
      parameters:
        scale: [0.05]  # 1 is the model as published: 77,169 neurons, 299 million synapses
      duration_ms: 1000
      seeds: [1, 2]

# How a model changes with its size: every size in `sizes` is held against the largest one.
# scale:
#   studies:
#     sizes_of_the_microcircuit:
#       model: microcircuit
#       sizes: [0.05, 0.1]
#       schemes: [compensated]
#       seeds: [1, 2, 3]
#       statistics: [rate, cv, synchrony]
#       duration_ms: 2000
#       bin_ms: 20

# Questions to data and models. The kinds and what each can tell: docs/comparisons.md.
compare:
  comparisons:
    worm_structure_function:
      kind: structure_function  # does the connectome predict which neurons respond to which?
      function: [randi2023_wt]
      structure: [cook2019_hermaphrodite, witvliet2020_8]

# The page at the end.
report:
  title: My comparison
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `allometry new`."""
    parser.add_argument("file", type=Path, help="configuration to write, such as my.yaml")


def run(arguments: argparse.Namespace) -> int:
    """Write the configuration; return the exit status."""
    print(write(arguments.file))
    return 0


def write(path: Path) -> str:
    """Write a configuration to start from.

    Parameters
    ----------
    path : Path
        A new file that ends in `.yaml` or `.yml`.

    Returns
    -------
    str
        What to do next.

    Raises
    ------
    ConfigError
        The file is there already, or its name is that of no configuration.
    """
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise ConfigError(
            "the name is not that of a configuration",
            where=str(path),
            expected="a name that ends in .yaml",
            do=f"for example allometry new {path.with_suffix('.yaml')}",
        )
    if path.exists() or path.is_symlink():
        raise ConfigError("the file is there already", where=str(path), do="name another one, or delete it")
    text = TEXT.format(name=path)
    with files.writing(path, ConfigError):
        files.write_text(path, text)
    config.load(path)
    return f"{path}: written; `allometry run {path} --dry-run` says what it does"
