"""Multi-area model: what is built from a store of areas.

Oracles: scaling keeps the mean of every input and its variance (van Albada et al. 2015), areas that are left out are replaced by
Poisson input of the same mean and variance, and published weights.
"""

import numpy as np
import pytest
import xarray as xr

from allometry import simulate
from allometry.config.simulate import NetworkRun, SimulateConfig
from allometry.errors import ConfigError, SimulationError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from allometry.models import MODELS, build, multi_area
from allometry.models.microcircuit import psc_amplitude
from allometry.models.multi_area_store import AREAS, RATES_HZ, stand_in
from allometry.network import DCInput, Network, PoissonInput
from allometry.workflow.checks.runs import check_points
from tests.homogenize.fixtures import multi_area as fixture

PSC = psc_amplitude(0.15)


@pytest.fixture(scope="module")
def areas(tmp_path_factory) -> xr.Dataset:
    files, _ = fixture.write(tmp_path_factory.mktemp("multi_area"))
    return READERS["multi_area"](files, Source("multi_area"))


def moments(net: Network, rates: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Mean (pA) and sum of rate times squared weight (pA²/s) of the input of every population, at given rates of its sources."""
    mean, square = ({p.name: 0.0 for p in net.populations} for _ in range(2))
    for p in net.projections:
        events = p.rule.n / net.population(p.target).size * rates[p.source]
        mean[p.target] += 0.5e-3 * events * p.weight.mean
        square[p.target] += events * p.weight.mean**2
    for drive in net.inputs:
        if isinstance(drive, PoissonInput):
            mean[drive.population] += 0.5e-3 * drive.rate_hz * drive.weight
            square[drive.population] += drive.rate_hz * drive.weight**2
        else:
            assert isinstance(drive, DCInput)
            mean[drive.population] += drive.amplitude
    return mean, square


def rates(store: xr.Dataset) -> dict[str, float]:
    return dict(zip(map(str, store["node"].values), store["rate_hz"].values.tolist()))


@pytest.mark.parametrize("scale", [0.3, 0.1])
def test_scaling_keeps_mean_and_variance_of_the_input(areas, scale) -> None:
    net = multi_area(areas, scale=scale)
    full, small = moments(multi_area(areas, scale=1.0), rates(areas)), moments(net, rates(areas))
    for name in full[0]:
        # The number of synapses of each projection, up to 24 with a rate of at most 4 Hz, is rounded by up to a half.
        events = 24 * 0.5 * 4 / net.population(name).size
        weight = 16 * PSC / scale**0.5
        assert small[0][name] == pytest.approx(full[0][name], abs=0.5e-3 * events * weight)
        assert small[1][name] == pytest.approx(full[1][name], abs=events * weight**2)
        # which is little beside the drive
        assert events * weight**2 < 0.02 * full[1][name]


def test_sizes_indegrees_and_weights(areas) -> None:
    net = multi_area(areas, scale=0.25, g=-8.0, cc_weights_factor=1.9, cc_weights_i_factor=2.0)
    neurons = dict(zip(map(str, areas["node"].values), areas["neurons"].values))
    assert {p.name: p.size for p in net.populations} == {name: round(n / 4) for name, n in neurons.items()}
    weight = {(p.source, p.target): p.weight.mean / (PSC * 2) for p in net.projections}
    expected = {
        ("V1-23E", "V1-4E"): 1.0,
        ("V1-4E", "V1-23E"): 2.0,
        ("V1-23I", "V1-4E"): -8.0,
        ("V2-23E", "V1-4E"): 1.9,
        ("V2-23E", "V1-4I"): 3.8,
    }
    assert {key: weight[key] for key in expected} == pytest.approx(expected)
    assert all(p.weight.sd == pytest.approx(0.1 * abs(p.weight.mean)) for p in net.projections)
    delay = {(p.source, p.target): (p.delay.mean, p.delay.sd) for p in net.projections}
    assert delay["V1-23E", "V1-4E"] == (1.5, 0.75)
    assert delay["V4-23E", "V1-4E"] == pytest.approx((10.0, 5.0))
    indegree = dict(zip(zip(areas["source"].values, areas["target"].values), areas["indegree"].values))
    rule = next(p.rule for p in net.projections if (p.source, p.target) == ("V1-23E", "V1-4E"))
    assert rule.n == round(indegree[0, 2] / 4 * round(neurons["V1-4E"] / 4))


def test_factors_of_the_external_indegree(areas) -> None:
    plain, more = (
        {i.population: i.rate_hz for i in multi_area(areas, **given).inputs if isinstance(i, PoissonInput)}
        for given in ({}, {"external_5e": 1.125, "external_6e": 1.5, "external_th": 1.2})
    )
    changed = {name: more[name] / plain[name] for name in plain if more[name] != plain[name]}
    expected = {f"{area}-5E": 1.125 for area in fixture.AREAS} | {f"{area}-6E": 1.5 for area in fixture.AREAS}
    assert changed == pytest.approx(expected | {"TH-23E": 1.2, "TH-5E": 1.125 * 1.2})


@pytest.mark.parametrize("named", ["V4,V1", ["V1", "V4"]])
def test_other_areas_drive_as_poisson_input(areas, named) -> None:
    some = multi_area(areas, scale=0.3, areas=named)
    assert {p.name.partition("-")[0] for p in some.populations} == {"V1", "V4"}
    whole = moments(multi_area(areas, scale=0.3), rates(areas))
    part = moments(some, rates(areas))
    for name in part[0]:
        assert part[1][name] == pytest.approx(whole[1][name], rel=2e-3)
        assert part[0][name] == pytest.approx(whole[0][name], abs=1e-3 * abs(whole[1][name]) * 0.5e-3 / PSC)
    assert sum(i.population == "V1-4E" for i in some.inputs if isinstance(i, PoissonInput)) == 2


def test_published_means_stand_for_rates_that_are_not_known(areas) -> None:
    known = areas.copy()
    known["rate_hz"] = ("node", [RATES_HZ[fixture.POPULATIONS.index(str(t))] for t in areas["type"].values])
    unknown = areas.assign(rate_hz=("node", np.full(areas.sizes["node"], np.nan)))
    assert multi_area(known).to_dict() == multi_area(unknown).to_dict()


def test_it_runs_and_starts_from_deep_below_the_threshold(areas, tmp_path) -> None:
    net = multi_area(areas, scale=0.25, areas="TH")
    spikes = simulate.run(net, 60.0, 1, tmp_path / "th.zarr")
    assert spikes.sizes["unit"] == net.size
    steps = spikes["spike_step"].values
    # V0 is drawn about −150 mV, two standard deviations below the threshold: 2.3 % fire at once, give or take four errors.
    assert (steps == 1).sum() == pytest.approx(0.0228 * net.size, abs=4 * (0.0228 * net.size) ** 0.5)
    assert (steps > 300).any()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"scale": 0.0}, "scale is 0"),
        ({"g": 4.0}, "g is 4"),
        ({"cc_weights_factor": -1.0}, "cc_weights_factor is -1"),
        ({"areas": "V1,V9"}, "unknown areas V9"),
        ({"areas": ""}, "no area is named"),
        ({"scale": 1e-4}, "has no neuron at scale"),
    ],
)
def test_bad_parameters(areas, given, words) -> None:
    with pytest.raises(SimulationError, match=words):
        multi_area(areas, **given)


def test_another_connectome_is_refused(areas) -> None:
    with pytest.raises(SimulationError, match="has no neurons, delay"):
        multi_area(areas.drop_vars(["neurons", "delay"]))
    with pytest.raises(SimulationError, match="rate of V1-23E is not known"):
        multi_area(
            areas.assign(
                rate_hz=("node", np.full(areas.sizes["node"], np.nan)), type=("node", ["cell"] * areas.sizes["node"])
            )
        )


def test_what_stands_for_the_store_has_the_published_size() -> None:
    net = build("multi_area", {"scale": 0.1}, stand_in({}))
    assert net.size == pytest.approx(413_006, rel=1e-3)
    # published: 24.2e9 synapses, of which a hundredth is left; this is for estimates of time and memory
    assert sum(p.rule.n for p in net.projections) == pytest.approx(2.4e8, rel=0.25)
    assert {p.name.partition("-")[0] for p in net.populations} == set(AREAS)
    assert MODELS["multi_area"].needs_connectome


def test_a_configured_run_is_checked_before_the_store_is_made() -> None:
    def run(**parameters) -> NetworkRun:
        return NetworkRun(
            kind="network", model="multi_area", connectome=["multi_area"], parameters=parameters, duration_ms=100
        )

    check_points("runs.x", run(scale=[0.05, 0.1], areas="V1,V2"), SimulateConfig())
    with pytest.raises(ConfigError, match="scale is 2"):
        check_points("runs.x", run(scale=2.0), SimulateConfig())
