"""What one touches to add a part to the package: it is there, and nowhere else is anything to be written.

A copy of the package gets the files of all parts, and a process that imports the copy asks for each.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = '''"""Twice."""

from allometry.compare.records.measures import measure


@measure(
    name="twice", version="1", inputs="number", invariances="none", use="how much is two times it?", reference="this test"
)
def twice(x):
    """Two times x."""
    return 2 * x
'''
MODEL = '''"""Silent."""

from allometry.models.catalogue.records import model
from allometry.network import Network


@model(description="Nothing.", source="this test")
def silent(size: int = 3) -> Network:
    """Build it.

    Parameters
    ----------
    size : int
        Number of neurons.
    """
'''
READER = '''"""Empty files."""

from allometry.homogenize.reader import Reader

READER = Reader("my_reader", ("activity",), lambda files, source, options: None, {})
'''
OPTIONS = '''"""Options of `my_kind`."""

from typing import Literal

from pydantic import Field

from allometry.compare.records.kinds import Options


class MyKind(Options):
    """One row."""

    kind: Literal["my_kind"] = Field(description="One row.")
    times: float = Field(3.0, gt=0, description="Its score.")
'''
KIND = '''"""One row."""

from allometry.compare.options.my_kind import MyKind
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, row


@comparison(MyKind)
def my_kind(inputs, options):
    """Compute it."""
    return Result("Mine", [row("cka", "a", "b", options.times)])
'''
DRAWING = '''"""Figure of `my_kind`."""


def draw(rows, curves):
    """Nothing."""
    return "Mine."
'''
NEURON = '''"""`leak`."""

from allometry.network.neuron_model import NeuronModel, Receptor, State, neuron_model, parameter


@neuron_model
class Leak(NeuronModel):
    """V falls by a part of itself."""

    part: float = parameter(default=0.1, unit="1")
    states = (State("V_m", initial=1.0),)
    receptors = (Receptor("jump", "mV"),)

    @staticmethod
    def step(V_m, jump, part):
        """Advance one neuron."""
        return V_m - part * V_m + jump, False
'''
ASKED = {
    "neuron": "from allometry.network import Leak, Network, Population; print(Leak().constants(0.1)['part'])",
    # not in the index until `python -m allometry.generate`, which imports every measure
    "measure": "from allometry.compare.registry import collect; print(collect()['twice'].function(2))",
    "model": "from allometry.models import MODELS; print(MODELS['silent'].parameters['size'])",
    "reader": "from allometry.homogenize.readers import READERS; print(READERS['my_reader'].kinds[0])",
    "kind": (
        "from allometry import config; from allometry.compare import kinds; from allometry.report.comparisons import drawing_of; "
        "cfg = config.validate({'compare': {'comparisons': {'x': {'kind': 'my_kind'}}}}); "
        "print(kinds.find('my_kind')({}, **cfg.compare.comparisons['x'].model_dump(exclude={'kind'})).rows[0]['score'], "
        "drawing_of('my_kind')(None, None))"
    ),
}


PARTS: dict[str, tuple[dict[str, str], str]] = {
    "measure": ({"compare/measures/graphs/twice.py": MEASURE}, "4"),
    "model": ({"models/silent.py": MODEL}, "Number of neurons."),
    "neuron": ({"network/neurons/leak.py": NEURON}, "0.1"),
    "reader": ({"homogenize/readers/my_reader.py": READER}, "activity"),
    "kind": (
        {
            "compare/options/my_kind.py": OPTIONS,
            "compare/kinds/my_kind.py": KIND,
            "report/comparisons/my_kind.py": DRAWING,
        },
        "3.0 Mine.",
    ),
}
# Asks for every part, whatever became of the others
ASKING = """
import json, sys, traceback
for part, asked in json.load(sys.stdin).items():
    print(f"== {part}")
    try:
        exec(asked, {})
    except Exception:
        traceback.print_exc(file=sys.stdout)
"""


@pytest.fixture(scope="module")
def answers(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a copy of the package with the files of all parts says to each question."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(root / "allometry", folder / "allometry", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in (item for files, _ in PARTS.values() for item in files.items()):
        assert not (folder / "allometry" / name).exists()
        (folder / "allometry" / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", ASKING],
        input=json.dumps(ASKED),
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    said = dict(block.partition("\n")[::2] for block in done.stdout.split("== ")[1:])
    return {part: text.strip() for part, text in said.items()}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_added_by_its_own_files(answers: dict[str, str], part: str) -> None:
    assert answers[part] == PARTS[part][1]
