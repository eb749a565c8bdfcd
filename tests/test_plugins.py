"""Plugins are found beside the configuration, imported once everywhere, and refused with one message."""

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from allometry import config, plugins
from allometry.compare.registry import MEASURES, find
from allometry.errors import ComparisonError, PluginError, SimulationError
from allometry.homogenize.reader import PLUGGED
from allometry.homogenize.readers import READERS
from allometry.models import MODELS, build

MEASURE = '''
from allometry.compare import measure

@measure(
    name="twice",
    version="1",
    inputs="number",
    invariances="none",
    use="how much is two times it?",
    reference="this test",
)
def twice(x):
    """Two times x."""
    return 2 * x
'''
MODEL = '''
from allometry import network
from allometry.models import model

@model(description="Neurons without synapses.", source="this test")
def silent(size: int = 3) -> network.Network:
    """Build it.

    Parameters
    ----------
    size : int
        Number of neurons.
    """
    neuron = network.IafPscDelta()
    return network.Network((network.Population("all", size, neuron),), title="Silent")
'''


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No plugin of a test is left after it."""
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    yield
    plugins.forget()


def lab(folder: Path, files: Mapping[str, str], name: str = "my_lab") -> Path:
    """A plugin with modules by name."""
    for file, text in files.items():
        path = folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / name


def test_folder_beside_the_configuration(tmp_path: Path) -> None:
    lab(tmp_path, {"measures.py": MEASURE, "models.py": MODEL, "test_it.py": "raise ValueError", "_draft.py": "1/0"})
    path = tmp_path / "mine.yaml"
    path.write_text("plugins: [my_lab]\n")
    assert config.load(path).plugins == ["my_lab"]
    assert find("twice").function(3) == 6
    assert find("twice").family == "my_lab"
    assert "twice" in MEASURES
    assert build("silent", {"size": 5}).size == 5
    (plugin,) = plugins.PLUGINS.values()
    assert plugin.parts == [("measure", "twice"), ("model", "silent")]
    assert {file.name for file in plugin.files()} == {"measures.py", "models.py", "test_it.py", "_draft.py"}
    assert plugins.of("my_lab.measures") is plugin
    assert plugins.of("allometry.compare") is None


@pytest.mark.parametrize("inside", [{"__init__.py": "from . import measures\n", "measures.py": MEASURE}, {}])
def test_package_and_module_can_be_plugins(tmp_path: Path, inside: Mapping[str, str]) -> None:
    lab(tmp_path, inside)
    if not inside:
        (tmp_path / "my_lab.py").write_text(MEASURE)
    plugins.use(["my_lab"], [tmp_path / "elsewhere", tmp_path])
    assert find("twice").function(3) == 6


def test_installed_package_says_that_it_is_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab(tmp_path, {"__init__.py": "", "inner.py": MEASURE})
    about = tmp_path / "my_lab-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-lab\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[allometry.plugins]\nlab = my_lab.inner\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [point.name for point in importlib.metadata.entry_points(group="allometry.plugins")] == ["lab"]
    plugins.forget()
    assert find("twice").function(3) == 6
    assert plugins.PLUGINS["lab"].files() == [tmp_path / "my_lab/inner.py"]


def test_installed_package_named_in_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab(tmp_path, {"__init__.py": MEASURE})
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins.use(["my_lab"], [tmp_path / "elsewhere"])
    assert find("twice").function(3) == 6
    assert plugins.places() == {"my_lab": ""}


def test_processes_that_are_started_have_the_plugins(tmp_path: Path) -> None:
    lab(tmp_path, {"models.py": MODEL})
    plugins.use(["my_lab"], [tmp_path])
    asked = "from allometry.models import build; print(build('silent').size)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "3"


def test_dask_workers_import_the_plugins(tmp_path: Path) -> None:
    from distributed import Client, LocalCluster

    from allometry.simulate.distribute.clusters.kinds import connect

    def places() -> dict[str, str]:
        return plugins.places()

    lab(tmp_path, {"models.py": MODEL})
    settings = {"n_workers": 1, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with LocalCluster(**settings) as cluster, Client(cluster) as client:
        # the workers were there before the plugin
        plugins.use(["my_lab"], [tmp_path])
        with connect(client, 1, 1):
            found = list(client.run(_loaded).values())
    assert found == [[("model", "silent")]]


def _loaded() -> list[tuple[str, str]]:
    return plugins.PLUGINS["my_lab"].parts


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, r"there is no plugin 'my_lab'[\s\S]*installed package"),
        ({"a.py": "import nothing_of_this_name\n"}, r"'my_lab' does not import: ModuleNotFound[\s\S]*a\.py, line 1"),
        ({"a.py": "x = 1\n\nx = (\n"}, r"does not import: SyntaxError[\s\S]*a\.py, line 3"),
        ({"a.py": "def f():\n    1 / 0\nf()\n"}, r"ZeroDivisionError[\s\S]*a\.py, line 2"),
        ({"a.py": "raise SystemExit(3)\n"}, r"does not import: SystemExit: 3"),
        ({"a.py": "x = 1\n"}, r"'my_lab' cannot be used: it registers nothing[\s\S]*docs/plugins\.md"),
        ({"a.py": MEASURE.replace('"twice"', '"cka"')}, r"there is a measure called 'cka' already[\s\S]*my_lab\.a"),
        ({"a.py": MODEL.replace("silent", "brunel")}, r"there is a model called 'brunel' already"),
        ({"a.py": MEASURE, "b.py": MEASURE}, r"there is a measure called 'twice' already[\s\S]*than that of my_lab\.a"),
        ({"a.py": MEASURE.replace('"twice"', '"Two times"')}, r"is no name of a measure[\s\S]*'two_times'"),
        ({"a.py": MEASURE.replace('    inputs="number",\n', "")}, r"the record of the measure 'twice' has no inputs"),
        ({"a.py": MEASURE + MEASURE}, r"there is a measure called 'twice' already[\s\S]*than that of my_lab\.a"),
        *[
            (
                {"a.py": f"from {place} import {name}\n@{name}\ndef f(x):\n    return x\n"},
                rf"@{name} above 'f' has no record",
            )
            for place, name in (
                ("allometry.compare", "measure"),
                ("allometry.compare", "comparison"),
                ("allometry.models", "model"),
                ("allometry.homogenize.reader", "reader"),
                ("allometry.scale.statistics.records", "statistic"),
            )
        ],
    ],
)
def test_a_plugin_that_cannot_be_used_is_one_message(tmp_path: Path, files: Mapping[str, str], said: str) -> None:
    if files:
        lab(tmp_path, files)
    before = set(sys.modules), set(MODELS)
    with pytest.raises(PluginError, match=said):
        config.validate({"plugins": ["my_lab"]}, folders=[tmp_path])
    # nothing of it is left
    assert {name for name in set(sys.modules) - before[0] if name.startswith("my_lab")} == set()
    assert not plugins.PLUGINS
    monkey = json.loads(os.environ.pop(plugins.VARIABLE, "{}"))
    assert set(monkey) <= {"my_lab"}
    assert set(MODELS) == before[1]
    with pytest.raises(ComparisonError):
        find("twice")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("numpy.random", "is no name of a plugin"),
        ("my_lub", "perhaps 'my_lab' is meant"),
        ("json", "a package called json is installed already"),
    ],
)
def test_names_that_cannot_be(tmp_path: Path, name: str, said: str) -> None:
    lab(tmp_path, {"a.py": MEASURE})
    lab(tmp_path, {"a.py": MEASURE}, "json")
    with pytest.raises(PluginError, match=said):
        plugins.use([name], [tmp_path])
    assert {"json", "json.decoder", "numpy.random"} <= set(sys.modules)


@pytest.mark.parametrize("given", ["my_lab", [1], {"a": 1}])
def test_what_is_no_list_of_names_is_refused(given: object) -> None:
    with pytest.raises(config.base.ConfigError, match=r"plugins.*expected"):
        config.validate({"plugins": given})


READER = """
from allometry.homogenize.options import flag
from allometry.homogenize.reader import reader

@reader(kinds={kinds}, options={options}, name={name!r})
def mine(files, source, options):
    return None
"""


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"name": "kato2015"}, "there is a reader called 'kato2015' already"),
        ({"kinds": ("voltage",)}, "makes stores of kind voltage"),
        ({"kinds": ()}, r"makes stores of kind \(none\)"),
        ({"options": {"fast": True}}, "has options that are none: fast"),
    ],
)
def test_a_reader_that_cannot_be_one_is_refused(tmp_path: Path, record: dict[str, object], message: str) -> None:
    (tmp_path / "lab.py").write_text(READER.format(**{"kinds": ("activity",), "options": {}, "name": "", **record}))
    with pytest.raises(PluginError, match=message):
        plugins.use(["lab"], [tmp_path])
    assert PLUGGED.parts == {}
    assert plugins.PLUGINS == {}


def test_readers_of_plugins_stand_beside_those_of_the_package(tmp_path: Path) -> None:
    before = set(READERS)
    (tmp_path / "lab.py").write_text(READER.format(kinds=("spikes",), options={}, name="probe"))
    plugins.use(["lab"], [tmp_path])
    assert set(READERS) - before == {"probe"}
    assert len(READERS) == len(before) + 1
    assert READERS["probe"].kinds == ("spikes",)


NEURON = """
from allometry.network import NeuronModel, Receptor, State, neuron_model

@neuron_model
class NAME(NeuronModel):
    '''Nothing moves.'''
    states = (State("V_m", "mV"),)
    receptors = (Receptor("jump", "mV"),)

    @staticmethod
    def step(V_m, jump):
        return V_m, V_m > jump
"""


def test_a_neuron_model_of_a_plugin_is_registered_and_forgotten(tmp_path: Path) -> None:
    from allometry.network.neuron_model import PLUGGED as NEURONS

    (tmp_path / "one_neuron.py").write_text(NEURON.replace("NAME", "Still"))
    plugins.use(["one_neuron"], [tmp_path])
    assert list(NEURONS.plugged()) == ["still"]
    assert ("neuron model", "still") in plugins.PLUGINS["one_neuron"].parts
    plugins.forget()
    assert not NEURONS.plugged()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("NAME", "IafPscExp"), "there is a neuron model called 'iafpscexp' already"),
        (('Receptor("jump", "mV"),', ""), "there is no receptor"),
    ],
)
def test_a_neuron_model_with_a_taken_name_or_no_receptor_is_refused(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    text = NEURON.replace(*change).replace("NAME", "Still")
    (tmp_path / "one_neuron.py").write_text(text)
    with pytest.raises(PluginError, match=words):
        plugins.use(["one_neuron"], [tmp_path])
    assert "one_neuron" not in plugins.PLUGINS
    plugins.forget()


def test_a_model_that_gives_no_network_is_refused(tmp_path: Path) -> None:
    lab(tmp_path, {"a.py": MODEL.partition("    neuron = ")[0] + "    return size\n"})
    plugins.use(["my_lab"], [tmp_path])
    with pytest.raises(SimulationError, match="the model gives 'int'") as caught:
        build("silent")
    assert caught.value.where == "model silent"
