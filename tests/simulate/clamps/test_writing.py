"""Clamp stores: axes, units, and the traces of every cell and genotype in their places."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allometry import stores
from allometry.config.clamps import ClampConfig
from allometry.errors import SimulationError, StoreError
from allometry.models.cells import WORM_CELLS, cell_model, changed
from allometry.report import figures
from allometry.simulate.clamps.protocol import recorded
from allometry.simulate.clamps.writing import write_clamp
from allometry.simulate.kernels.channels.clamp import NEEDS, Current, Gate
from allometry.stores.summaries.info import summary
from tests.stores import samples

TIMES = {"onset_ms": 50.0, "duration_ms": 60.0, "after_ms": 10.0}


def settings(**given: Any) -> dict[str, Any]:
    return ClampConfig.model_validate(
        {"cells": ["AVAL", "VB6"], "protocol": "voltage", "amplitudes": [-80.0, 0.0], **TIMES, **given}
    ).model_dump(mode="json")


def test_a_store_has_every_cell_and_genotype_with_units(tmp_path: Path) -> None:
    given = settings(knockouts={"egl19": ["EGL19"]}, parameters={"g_IRK": 0.5}, sample_ms=2.0)
    write_clamp(given, tmp_path / "a.zarr", provenance={"rule": "x"})
    ds = stores.open(tmp_path / "a.zarr")
    assert not stores.violations(ds)
    assert ds["voltage"].dims == ("cell", "genotype", "step", "time")
    assert ds["current"].dims == ("cell", "genotype", "channel", "step", "time")
    assert {name: ds[name].attrs["units"] for name in ("amplitude", "time", "voltage", "current", "i_steady")} == {
        "amplitude": "mV", "time": "ms", "voltage": "mV", "current": "pA", "i_steady": "pA",
    }  # fmt: skip
    assert ds["time"].values[[0, 1, -1]].tolist() == [0.0, 2.0, 120.0]
    variant = changed(WORM_CELLS.cells["VB6"], ["EGL19"], {"g_IRK": 0.5})
    traces = recorded(variant, "voltage", [-80.0, 0.0], **TIMES, sample_ms=2.0)
    one = ds.sel(cell="VB6", genotype="egl19")
    np.testing.assert_array_equal(one["current"].sel(channel="SHK1"), traces.current[Current.SHK1].astype(np.float32))
    np.testing.assert_array_equal(one["voltage"], traces.voltage[:, ::20].astype(np.float32))
    assert not one["current"].sel(channel="SLO1_EGL19").values.any()
    # AVAL has no such channel
    assert np.isnan(ds["current"].sel(cell="AVAL", channel="SHK1")).all()
    assert stores.attribute(ds, "parameters")["published"]["AVAL"]["g_IRK"] == 0.1
    assert "voltage clamp of 2 cells, 2 genotypes" in "\n".join(summary(ds))
    drawing = figures.clamp(ds)
    assert {"AVAL, wild type", "VB6, egl19", "VB6: by channel"} <= set(drawing.numbers["panel"])
    write_clamp(given, tmp_path / "b.zarr")
    assert not stores.diff(tmp_path / "a.zarr", tmp_path / "b.zarr")


@pytest.mark.parametrize(
    ("knockouts", "parameters", "said"),
    [
        (["SHK1"], {}, "AVAL has no channel 'SHK1' that could be knocked out"),
        (["EGL18"], {}, "perhaps 'EGL19' is meant"),
        ([], {"g_SHK1": 1.0}, "AVAL has no parameter 'g_SHK1'"),
        ([], {"g_IRK": -1.0}, "g_IRK is -1"),
        ([], {"capacitance_uf_cm2": 0.0}, "capacitance_uf_cm2 is 0"),
    ],
)
def test_what_a_cell_lacks_is_said(knockouts: list[str], parameters: dict[str, float], said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        changed(WORM_CELLS.cells["AVAL"], knockouts, parameters)


def test_a_calcium_potential_that_is_no_constant_cannot_be_set() -> None:
    with pytest.raises(SimulationError, match="VD5 has no parameter 'e_ca_mv'"):
        changed(WORM_CELLS.cells["VD5"], parameters={"e_ca_mv": 60.0})
    assert changed(WORM_CELLS.cells["RIM"], parameters={"e_ca_mv": 50.0}).e_ca_mv == 50.0


def test_models_and_cells_are_known_by_name() -> None:
    with pytest.raises(SimulationError, match="unknown model of cells 'worm_cell'"):
        cell_model("worm_cell")
    with pytest.raises(SimulationError, match="has no cell 'AVA'"):
        cell_model("worm_cells").cell("AVA")


def test_every_current_of_every_cell_has_its_kernel() -> None:
    assert {name for cell in WORM_CELLS.cells.values() for name in cell.conductance_ns} == {one.name for one in Current}
    assert {gate for needed in NEEDS.values() for gate in needed} == set(Gate) - {Gate.CALCIUM}


def test_a_store_of_wrong_values_is_refused() -> None:
    ds = samples.clamp()
    ds["amplitude"].attrs["units"] = "mV"
    assert any("units are 'mV'" in line for line in stores.violations(ds))
    ds = samples.clamp()
    ds["voltage"][0, 0, 0, 0] = np.nan
    assert any("no number" in line for line in stores.violations(ds))
    with pytest.raises(StoreError, match="missing"):
        stores.clamp({"cell": ["a"]}, {}, attrs={})
