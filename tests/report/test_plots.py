"""Plots of single stores: every kind has one, in every format, and a name that is none is answered with those there are."""

from pathlib import Path

import numpy as np
import pytest

from allometry import cli, stores
from allometry.report import plots
from allometry.stores.kinds import KINDS
from tests.stores import samples


def test_every_kind_of_store_can_be_drawn() -> None:
    assert set(plots.PLOTS) == set(KINDS)
    assert all(plots.PLOTS.values())


# a study needs the costs of its jobs: tests/workflow/test_end_to_end.py
@pytest.mark.parametrize("kind", [kind for kind in samples.KINDS if kind != "scaling"])
def test_a_store_becomes_an_image(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    obj = samples.sample(kind)
    stores.write(obj, tmp_path / "store.zarr")
    schema = str(obj.attrs["schema"]).lower()
    for name in plots.PLOTS[schema]:
        out = tmp_path / f"{name}.png"
        assert cli.main(["plot", str(tmp_path / "store.zarr"), "--plot", name, "--out", str(out)]) == 0
        assert out.read_bytes().startswith(b"\x89PNG")
        assert out.stat().st_size > 3000
        first, second, *_ = capsys.readouterr().out.splitlines()
        assert first == str(out)
        assert len(second) > 40
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json"] + [".png"] * len(plots.PLOTS[schema]) + [
        ".zarr"
    ]


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".pdf", b"%PDF")])
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
    assert "correlations, coverage" in said
    assert not (tmp_path / "a.png").exists()


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
    from allometry.report.simulations import _events

    time_ms, unit, end_ms = _events(obj)
    np.testing.assert_allclose(time_ms, [100.0, 2500.0, 200.0])
    assert unit.tolist() == [0, 0, 2]
    assert end_ms == 3000.0
