"""The command line: status, one line per problem, no traceback, one screen."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from allometry import cli, stores
from allometry.stores.storage.file_manifest import write_file_manifest
from tests.stores import samples


@pytest.fixture
def results(tmp_path):
    for kind in samples.KINDS:
        folder = tmp_path / "results" / kind
        stores.write(samples.sample(kind), folder / f"{kind}.zarr")
    (tmp_path / "results" / "report").mkdir()
    (tmp_path / "results" / "report" / "index.html").touch()
    return tmp_path / "results"


def test_verify_searches_directories(results, capsys):
    assert cli.main(["verify", str(results)]) == 0
    assert capsys.readouterr().out == f"{len(samples.KINDS)} stores checked, no problems\n"
    assert cli.main(["verify", str(results / "spikes" / "spikes.zarr")]) == 0
    assert "1 stores checked" in capsys.readouterr().out


def test_verify_prints_one_line_per_problem_and_fails(results, capsys):
    flipped = results / "spikes" / "spikes.zarr" / "population" / "c" / "0"
    data = bytearray(flipped.read_bytes())
    data[-1] ^= 1
    flipped.write_bytes(data)
    (results / "connectome" / "connectome.zarr" / "extra").touch()
    (results / "activity" / "activity.manifest.json").unlink()
    shutil.rmtree(results / "scores" / "scores.zarr")
    assert cli.main(["verify", str(results)]) == 1
    *lines, summary = capsys.readouterr().out.splitlines()
    assert summary == f"{len(samples.KINDS)} stores checked, 4 problems"
    assert lines == [
        f"{results / 'activity' / 'activity.zarr'}: the store has no manifest",
        f"{results / 'connectome' / 'connectome.zarr'}: extra: is not in the manifest",
        f"{results / 'scores' / 'scores.zarr'}: is missing",
        f"{results / 'spikes' / 'spikes.zarr'}: population/c/0: content differs from the manifest",
    ]


def test_verify_finds_a_changed_byte_in_every_plain_file(results, capsys):
    raw, report, compared = results / "raw" / "x", results / "report", results / "compared"
    for folder in (raw, compared, report / "figures", results / "raw" / ".cache", results / "logs"):
        folder.mkdir(parents=True)
    cards, page, figure, data = (
        compared / "c.cards.json",
        report / "index.html",
        report / "figures" / "f.png",
        raw / "d.csv",
    )
    for file in (cards, page, figure, data):
        file.write_bytes(b"content")
    for file in (results / "raw" / ".cache" / "manifest.json", results / "logs" / "c.log"):
        file.write_text("not content")
    stores.write(samples.sample("scores"), compared / "c.zarr", beside={cards: b"content"})
    write_file_manifest(raw / "manifest.json", [data])
    write_file_manifest(report / "manifest.json", [page, figure])
    assert cli.main(["verify", str(results)]) == 0
    assert capsys.readouterr().out == f"{len(samples.KINDS) + 1} stores and 3 other files checked, no problems\n"
    for file in (cards, page, figure, data):
        file.write_bytes(b"cOntent")
        assert cli.main(["verify", str(results)]) == 1
        assert f"{file}: content differs from the manifest" in capsys.readouterr().out
        file.unlink()
        assert cli.main(["verify", str(results)]) == 1
        assert f"{file}: is missing" in capsys.readouterr().out
        file.write_bytes(b"content")
    (raw / "manifest.json").write_text("{")
    assert cli.main(["verify", str(results)]) == 1
    assert "the manifest cannot be read" in capsys.readouterr().out


def test_verify_sees_what_stands_in_place_of_a_store_and_goes_round_a_circle_once(results, capsys):
    """Issue 11.21: a file in place of a store passed unseen, and a link to a folder above never ended."""
    shutil.rmtree(results / "spikes" / "spikes.zarr")
    (results / "spikes" / "spikes.zarr").write_text("x")
    (results / "stack" / "lone.zarr").symlink_to("nowhere")
    (results / "stack" / ".hidden.zarr").write_text("x")
    (results / "activity" / "round").symlink_to(results)
    assert cli.main(["verify", str(results)]) == 1
    *lines, _ = capsys.readouterr().out.splitlines()
    assert f"{results / 'spikes' / 'spikes.zarr'}: is no folder" in lines
    assert f"{results / 'stack' / 'lone.zarr'}: is missing" in lines
    assert {line.partition(": ")[2] for line in lines} == {"is no folder", "is missing"}
    assert cli.main(["verify", str(results / "spikes" / "spikes.zarr")]) == 1


def test_verify_does_not_pass_when_there_is_nothing(tmp_path, capsys):
    assert cli.main(["verify", str(tmp_path)]) == 1
    assert cli.main(["verify", str(tmp_path / "nothing")]) == 1
    assert cli.main(["verify", str(tmp_path / "nothing.zarr")]) == 1
    assert "holds no store" in capsys.readouterr().out


def test_diff_has_the_status_of_diff(results, capsys):
    a, b = str(results / "spikes" / "spikes.zarr"), str(results / "recorded_spikes" / "recorded_spikes.zarr")
    assert cli.main(["diff", a, a]) == 0
    assert capsys.readouterr().out == ""
    assert cli.main(["diff", a, b]) == 1
    assert "attribute.order: 'time' in A, 'unit' in B" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("activity", ["2 recordings, 0.01 hours; 2 unique labels", "worm_1", "2 of them recorded at least once"]),
        ("connectome", ["3 nodes, 7 edges", "chemical", "electrical", "unmeasured", "1 motor, 1 muscle, 1 sensory"]),
        ("responses", ["2 units, 5 presentations, 0.0 % missing", "2-3", "areas: LM 1, V1 1"]),
        ("scores", ["2 comparisons; curves: roc", "0.5..0.7", "randi"]),
        ("spikes", ["4 spikes of 3 units in 0.001 s observed", "dt 0.1 ms", "seed:"]),
        ("recorded_spikes", ["3 spikes of 3 units in 2 s observed, ordered by unit", "V1", "50.0 %"]),
    ],
)
def test_info_fits_one_screen(results, capsys, kind, expected):
    assert cli.main(["info", str(results / kind / f"{kind}.zarr")]) == 0
    out = capsys.readouterr().out
    for words in ["A sample", "Caenorhabditis elegans", "Nobody 2020", "CC0-1.0", *expected]:
        assert words in out
    assert len(out.splitlines()) <= 40
    assert max(map(len, out.splitlines())) <= 200


def test_info_of_a_stack_counts_each_annotation(tmp_path, capsys):
    axis = ["AVAL", "AVAR"]
    chemical = np.array([[[0, 2], [1, 0]], [[np.nan] * 2] * 2], np.float32)
    seen = np.array([[True, True], [False, False]])
    stack = stores.stack({"chemical": chemical}, seen, ["cook", "none"], axis, attrs=samples.ATTRS)
    stores.write(stack, tmp_path / "worm_stack.zarr")
    assert cli.main(["info", str(tmp_path / "worm_stack.zarr")]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["cook", "2", "2"] in lines
    assert ["none", "0", "-"] in lines


def test_errors_are_messages_not_tracebacks(tmp_path):
    command = [sys.executable, "-m", "allometry", "info", str(tmp_path / "none.zarr")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("there is no store\n")
    assert "Traceback" not in done.stderr


def test_help_imports_nothing_heavy():
    code = "import sys; from allometry.cli import parser; parser().format_help(); print('xarray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_every_command_has_help(capsys):
    for command in cli.COMMANDS:
        with pytest.raises(SystemExit) as done:
            cli.main([command.name, "--help"])
        assert done.value.code == 0
        assert command.help in capsys.readouterr().out


def test_more_partitions_than_neurons_start_no_process(tmp_path, capsys):
    wanted = ["simulate", "brunel", "--scale", "0.01", "--duration-ms", "10", "--partitions", "9999"]
    assert cli.main([*wanted, "--out", str(tmp_path / "x.zarr")]) == 1
    assert "at most one per neuron: 125" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
