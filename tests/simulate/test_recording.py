"""State variables at several intervals, and the spikes of some neurons."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allometry import simulate, stores
from allometry.errors import SimulationError
from allometry.network import (
    ConnectomeLif,
    DCInput,
    FixedIndegree,
    IafPscExp,
    Network,
    PoissonInput,
    Population,
    Projection,
    SpikeListInput,
)
from allometry.network.recording import grouped, stored_names
from allometry.simulate import Probe, Record
from allometry.simulate.check.validate import check_run

QUIET = IafPscExp(tau_syn_ex=2.0, tau_syn_in=5.0)
NET = Network(
    (Population("A", 40, QUIET), Population("B", 9, IafPscExp(E_L=-70.0, V_reset=-70.0))),
    (Projection("A", "B", FixedIndegree(10), 300.0, 1.0), Projection("B", "A", FixedIndegree(4), -90.0, 0.5)),
    (PoissonInput("A", 9000.0, 120.0), DCInput("B", np.linspace(300.0, 500.0, 9))),
)
PROBES = (
    Probe("B", [8, 2], 1.0),
    Probe("A", [30, 0, 7], 0.5, "I_syn_ex"),
    Probe("A", [3], 1.0),
    Probe("A", [3, 30], 0.1),
    Probe("B", [2], 0.5, "I_syn_ex"),
    Probe("A", [30], 2.0, "I_syn_ex"),
    Probe("A", [39], 0.7, "refractory"),
)
RECORD = Record(probes=PROBES, spikes_of={"A": [0, 3, 30], "B": 0.4})


def run(tmp_path: Path, name: str, record: Record = RECORD, **options: Any) -> Any:
    execution = simulate.Execution(**options)
    return simulate.run(NET, 250.0, 3, tmp_path / f"{name}.zarr", precision="exact", record=record, execution=execution)


def test_every_variable_and_interval_has_its_own_place(tmp_path: Path) -> None:
    found = run(tmp_path, "a", threads=2)
    assert found["voltage"].dims == ("step", "probe")
    assert found["probe"].values.tolist() == [48, 42, 3]
    assert found["step"].values[:2].tolist() == [10, 20]
    fine = found["V_m_0.1ms"]
    assert fine.shape == (2500, 2)
    assert fine.attrs["units"] == "mV"
    np.testing.assert_array_equal(
        fine.sel({"step_V_m_0.1ms": found["step"].values}).values[:, 0], found["voltage"][:, 2]
    )
    current, rare = found["I_syn_ex_0.5ms"], found["I_syn_ex_2ms"]
    assert current.attrs["units"] == "pA"
    assert found["probe_I_syn_ex_0.5ms"].values.tolist() == [30, 0, 7, 42]
    np.testing.assert_array_equal(current.values[3::4, 0], rare.values[:, 0])
    assert (current.values[:, :3] > 0).mean() > 0.9
    rest = found["refractory"]
    assert rest.shape == (357, 1)
    assert set(np.unique(rest)) <= set(range(21))
    assert rest.values.any()
    stores.validate(found)
    for name, options in (("b", {"threads": 3}), ("c", {"partitions": 2, "threads": 1, "cluster": "local"})):
        other = run(tmp_path, name, **options)
        for variable in ("voltage", "V_m_0.1ms", "I_syn_ex_0.5ms", "I_syn_ex_2ms", "refractory", "spike_step"):
            np.testing.assert_array_equal(other[variable], found[variable])


def test_a_current_decays_as_it_should(tmp_path: Path) -> None:
    net = Network((Population("A", 3, QUIET),), (), (SpikeListInput("A", [1, 1], [2.0, 2.0], [64.0, -32.0]),))
    record = Record(probes=(Probe("A", [1], 0.1, "I_syn_ex"), Probe("A", [1], 0.1, "I_syn_in")))
    found = simulate.run(net, 10.0, 1, tmp_path / "a.zarr", precision="exact", record=record)
    after = np.arange(100 - 20)
    for variable, weight, tau in (("I_syn_ex", 64.0, 2.0), ("I_syn_in", -32.0, 5.0)):
        assert not found[variable][:20].values.any()
        np.testing.assert_allclose(found[variable][20:, 0], weight * np.exp(-after * 0.1 / tau), rtol=1e-6)


def test_spikes_of_some(tmp_path: Path) -> None:
    some, whole = run(tmp_path, "some"), run(tmp_path, "all", Record())
    kept = [0, 3, 30, *(40 + np.array([1, 3, 5, 7])).tolist()]
    assert np.flatnonzero(some["recorded"].values).tolist() == kept
    assert "recorded" not in whole
    chosen = np.isin(whole["spike_unit"], kept)
    assert 0 < chosen.sum() < len(chosen)
    for name in ("spike_step", "spike_unit"):
        np.testing.assert_array_equal(some[name], whole[name].values[chosen])
    none = run(tmp_path, "none", Record(spikes_of={"A": 0.0}, counts_ms=50.0))
    np.testing.assert_array_equal(none["spike_unit"], whole["spike_unit"].values[whole["spike_unit"].values >= 40])
    assert int(none["count"].sum()) == whole.sizes["spike"]
    assert not run(tmp_path, "off", Record(spikes=False, spikes_of={"B": 0.5})).sizes["spike"]


def test_names_in_the_store() -> None:
    groups = grouped((Probe("A", [0], 2.0), Probe("A", [0], 0.5), Probe("A", [1], 2.0), Probe("B", [0], 2.0, "g")), 0.1)
    assert [len(members) for members in groups.values()] == [2, 1, 1]
    assert stored_names(list(groups), 0.1) == ["voltage", "V_m_0.5ms", "g"]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Record(probes=(Probe("A", [0], 1.0, "g"),)), "IafPscExp has no state variable 'g' in precision 'fast'"),
        (Record(probes=(Probe("C", [0], 1.0, "I_syn_ex"),)), "ConnectomeLif has no state variable 'I_syn_ex'"),
        (Record(probes=(Probe("A", [0], 0.25),)), "interval_ms is 0.25"),
        (Record(probes=(Probe("A", [0]), Probe("A", [1, 0]))), "probed twice"),
        (Record(spikes_of={"Z": 0.5}), "unknown population 'Z'"),
        (Record(spikes_of={"A": 1.5}), "the fraction is 1.5"),
        (Record(spikes_of={"A": [40]}), "neuron index 40 is outside"),
    ],
)
def test_impossible_records_are_refused(record: Record, message: str) -> None:
    net = Network((*NET.populations, Population("C", 2, ConnectomeLif())))
    with pytest.raises(SimulationError, match=message):
        check_run(net, 10.0, 1, "fast", record)
    check_run(net, 10.0, 1, "exact", Record(probes=(Probe("A", [0], 1.0), Probe("A", [0], 2.0))))
