"""Plots of single stores: every kind has one, in every format, and a name that is none is answered with those there are."""

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from allometry import cli, stores
from allometry.report import figures, plots
from allometry.report.kinds.spike_events import events
from allometry.stores.kinds import KINDS
from tests.stores import samples


def test_every_kind_of_store_can_be_drawn_and_every_figure_is_a_plot() -> None:
    assert set(plots.PLOTS) == set(KINDS)
    assert all(plots.PLOTS.values())
    drawn = {
        name
        for name, value in vars(figures).items()
        if inspect.isfunction(value) and value.__module__ == figures.__name__
    }
    assert {name for name in drawn if not name.startswith("_")} == {
        plot for names in plots.PLOTS.values() for plot in names
    }


# a study needs the costs of its jobs: tests/workflow/test_end_to_end.py, tests/scale/compute/test_study.py
@pytest.mark.parametrize("kind", [kind for kind in samples.KINDS if kind not in ("scaling", "compute")])
def test_a_store_becomes_an_image(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    obj = samples.sample(kind)
    stores.write(obj, tmp_path / "store.zarr")
    schema = str(obj.attrs["schema"]).lower()
    drawn = [
        name for name in plots.PLOTS[schema] if name not in ("tuning", "coarse")
    ]  # responses to gratings, maps of pixels: tests/simulate/test_responses.py, tests/scale/coarse/test_jobs.py
    for name in drawn:
        out = tmp_path / f"{name}.png"
        assert cli.main(["plot", str(tmp_path / "store.zarr"), "--plot", name, "--out", str(out)]) == 0
        assert out.read_bytes().startswith(b"\x89PNG")
        assert out.stat().st_size > 3000
        first, second, *_ = capsys.readouterr().out.splitlines()
        assert first == str(out)
        assert len(second) > 40
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", *[".png"] * len(drawn), ".zarr"]


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".pdf", b"%PDF"), (".csv", b"panel,mark,")])
def test_formats_are_those_of_the_name_and_the_same_store_gives_the_same_bytes(
    tmp_path: Path, suffix: str, start: bytes
) -> None:
    stores.write(samples.connectome(), tmp_path / "store.zarr")
    for name in ("a", "b"):
        plots.plot(tmp_path / "store.zarr", tmp_path / f"{name}{suffix}")
    one, other = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("a", "b"))
    assert one.startswith(start)
    assert one == other


def test_a_plot_that_a_kind_has_not_is_answered_with_those_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores.write(samples.activity(), tmp_path / "store.zarr")
    assert cli.main(["plot", str(tmp_path / "store.zarr"), "--plot", "raster", "--out", str(tmp_path / "a.png")]) == 1
    said = capsys.readouterr().err
    assert "kind activity has no plot 'raster'" in said
    assert "one of recordings, coverage" in said
    assert not (tmp_path / "a.png").exists()


def test_several_stores_make_one_figure_where_the_plot_shows_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "other"):
        stores.write(samples.connectome(), tmp_path / f"{name}.zarr")
    both = [str(tmp_path / "one.zarr"), str(tmp_path / "other.zarr")]
    out = str(tmp_path / "a.png")
    assert cli.main(["plot", *both, "--plot", "connectomes", "--out", out]) == 0
    assert "2 connectomes" in capsys.readouterr().out
    assert cli.main(["plot", *both, "--out", out, "--overwrite"]) == 1
    said = capsys.readouterr().err
    assert "the plot connectome draws one store, and 2 are given" in said
    assert "--plot connectomes" in said
    stores.write(samples.activity(), tmp_path / "traces.zarr")
    assert (
        cli.main(["plot", both[0], str(tmp_path / "traces.zarr"), "--plot", "connectomes", "--out", out, "--overwrite"])
        == 1
    )
    assert "a store of kind activity is no connectome" in capsys.readouterr().err


def test_options_are_set_and_unknown_ones_are_answered_with_those_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores.write(samples.spikes(), tmp_path / "store.zarr")
    command = ["plot", str(tmp_path / "store.zarr"), "--out", str(tmp_path / "a.png"), "--overwrite"]
    assert cli.main([*command, "--set", "window_ms=0.5"]) == 0
    assert "spikes of the last 0.5 ms" in capsys.readouterr().out
    assert cli.main([*command, "--set", "windw=50"]) == 1
    assert "no option 'windw'" in (said := capsys.readouterr().err)
    assert "window_ms, units" in said
    assert cli.main([*command, "--set", "window_ms"]) == 1
    assert "NAME=VALUE" in capsys.readouterr().err


def test_the_numbers_of_a_matrix_are_those_of_the_store(tmp_path: Path) -> None:
    obj = samples.connectome()
    drawing = figures.connectome(obj)
    assert drawing.stores == ()
    numbers = drawing.numbers
    matrix = numbers[numbers["mark"].str.startswith("matrix")]
    found = {(row["series"], row["y_name"], row["x_name"]): row["value"] for row in matrix.to_dict("records")}
    nodes = obj["node"].values.tolist()
    for source, target, weight, synapse in zip(
        obj["source"].values, obj["target"].values, obj["weight"].values, obj["synapse"].values
    ):
        # of a symmetric matrix one half is listed
        value = found.get((synapse, nodes[source], nodes[target]), found.get((synapse, nodes[target], nodes[source])))
        assert value == pytest.approx(float(weight), rel=1e-3)


def test_a_notebook_keeps_its_backend_and_shows_the_drawing(tmp_path: Path) -> None:
    stores.write(samples.connectome(), tmp_path / "store.zarr")
    code = (
        "import sys\n"
        "from allometry.report import figures\n"
        "drawing = figures.connectome(sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "drawing.figure.axes[0].set_title('Mine')\n"
        "assert drawing._repr_png_().startswith(b'\\x89PNG')\n"
        "import matplotlib\n"
        "assert matplotlib.rcParams['axes.titleweight'] == 'normal'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "store.zarr")], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_an_image_is_not_written_over_unless_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stores.write(samples.connectome(), tmp_path / "store.zarr")
    (tmp_path / "a.png").write_text("mine")
    command = ["plot", str(tmp_path / "store.zarr"), "--out", str(tmp_path / "a.png")]
    assert cli.main(command) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "a.png").read_text() == "mine"
    assert cli.main([*command, "--overwrite"]) == 0
    assert cli.main(["plot", str(tmp_path / "store.zarr"), "--out", str(tmp_path / "a.xyz")]) == 1
    assert ".svg" in capsys.readouterr().err


def test_recorded_spikes_have_a_raster_and_rates_over_what_was_observed(tmp_path: Path) -> None:
    obj = samples.recorded_spikes()
    stores.write(obj, tmp_path / "store.zarr")
    said = plots.plot(tmp_path / "store.zarr", tmp_path / "a.png")
    assert "3 neurons in 2 populations, 3 spikes" in said
    found = events(obj)
    np.testing.assert_allclose(found.time_ms, [100.0, 2500.0, 200.0])
    assert found.unit.tolist() == [0, 0, 2]
    assert found.end_ms == 3000.0
