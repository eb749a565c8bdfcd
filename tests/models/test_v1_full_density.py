"""Macaque V1 at full density against the original's numbers: rates, tuning, in-degrees, rhythms (three seeds, slow)."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from allometry.models import v1, v1_wiring
from allometry.models.v1 import sheet, wiring_of
from allometry.models.v1_stimulus import grating, layer6_drive, layer6_gate
from allometry.network import Condition, Network, SpikeListInput
from allometry.simulate.build.partition import Partition
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.synapses.wiring import drawn_synapses, with_plastic
from tests.models import v1_measures as measures

pytestmark = pytest.mark.slow

SEEDS = (1, 2, 3)
FIRST, LAST = (round(ms * 10) for ms in (measures.FIRST_MS, measures.LAST_MS))
GRATINGS = tuple(f"{angle:g}" for angle in measures.ORIENTATIONS_DEG)


def conditions(wiring: v1_wiring.Wiring) -> dict[str, Condition]:
    """Background, eight orientations, and a vertical grating with layer 6 at a constant rate."""

    def seen(name: str, angle: float, contrast: float, depth: float = 0.5) -> Condition:
        replaced = {
            "grating": grating(wiring, angle, contrast, 2.5, 4.0),
            "layer 6": layer6_drive(wiring, contrast, depth),
            "layer 6 gate": layer6_gate(wiring, angle, 2.5),
        }
        return Condition(name, replaced=replaced)

    found = [seen("background", 0.0, 0.0), seen("unmodulated", 0.0, 1.0, 0.0)]
    found += [seen(name, float(name), 1.0) for name in GRATINGS]
    return {c.name: c for c in found}


def run(net: Network, chosen: list[Condition], seed: int) -> Iterator[np.ndarray]:
    """Spikes of 0.5 to 2 s, condition after condition on one connectivity."""
    with Partition(compile_network(net, seed, "fast"), 0, 1, 2, crowded=True) as partition:
        partition.build()
        for condition in chosen:
            partition.begin(compile_network(condition.applied(net), seed, "fast"), np.empty(0, np.int64))
            partition.window(FIRST)
            yield partition.window(LAST).spikes


@dataclasses.dataclass
class Found:
    """What is kept of the runs of one seed: rates [condition][cell], spectra [condition]."""

    rates: dict[str, np.ndarray]
    central: dict[str, np.ndarray]
    discs: dict[str, np.ndarray]


@pytest.fixture(scope="module")
def runs() -> list[Found]:
    """All conditions of all seeds: every seed has a wiring, synapses and drive of its own."""
    out = []
    for seed in SEEDS:
        wanted = conditions(wiring_of(seed))
        found = Found({}, {}, {})
        for name, spikes in zip(wanted, run(v1(wiring_seed=seed), list(wanted.values()), seed)):
            found.rates[name] = measures.rates(spikes)
            found.central[name] = measures.central_spectrum(spikes)
            if name in ("background", "0"):
                found.discs[name] = measures.disc_spectrum(spikes)
        out.append(found)
    return out


def mean_rate(runs: list[Found], condition: str, name: str) -> float:
    return float(np.mean([found.rates[condition][measures.CELLS[name]].mean() for found in runs]))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("background", (1.71, 7.82, 17.8)), ("0", (3.24, 20.3, 39.5)), ("90", (3.25, 20.4, 39.5))],
)
def test_rates_are_those_of_the_specification(
    runs: list[Found], condition: str, expected: tuple[float, float, float]
) -> None:
    """Seeds differ by 2.5 % (E) under a grating: 1.5 % in the mean of three."""
    found = [mean_rate(runs, condition, name) for name in ("E", "I", "LGN")]
    assert found == pytest.approx(expected, rel=0.03)


def test_rates_follow_the_number_of_lgn_inputs(runs: list[Found]) -> None:
    """Of 200 to 740 cells of the central hypercolumn with so many inputs: to 15 %, three standard errors of 200 of them.

    The original's driven rates are means of its eight orientations.
    """
    published = {
        "background": [3.75, 3.32, 2.39, 1.53, 1.15, 1.05, 0.95],
        "driven": [6.9, 5.91, 4.52, 2.75, 2.38, 2.36, 1.93],
    }
    for condition, expected in published.items():
        names = ("background",) if condition == "background" else GRATINGS
        totals = np.zeros((2, 9))
        for seed, found in zip(SEEDS, runs):
            inputs = np.minimum(np.diff(wiring_of(seed).starts_e), 8)[measures.CENTRAL["E"]]
            rate = np.mean([found.rates[c][measures.CELLS["E"]][measures.CENTRAL["E"]] for c in names], axis=0)
            totals += [np.bincount(inputs, rate, 9), np.bincount(inputs, minlength=9)]
        assert (totals[0] / totals[1])[: len(expected)] == pytest.approx(expected, rel=0.15)


def orientations(found: Found) -> np.ndarray:
    """Rates, [orientation, cell]."""
    return np.stack([found.rates[name] for name in GRATINGS])


@pytest.mark.parametrize(("name", "expected"), [("E", (5.28, 1.71)), ("I", (28.3, 14.7))])
def test_domains_at_the_orientation_and_across_it(runs: list[Found], name: str, expected: tuple[float, float]) -> None:
    """Eight orientations see all of the ring around one pinwheel once.

    Seeds differ by 3 % (preferred) and 8 % (orthogonal, E). The drawn wiring gives I cells 5 % less than the file: the
    specification has the same difference between its own rates and the original's.
    """
    found = np.mean([measures.preferred_orthogonal(orientations(seed), name) for seed in runs], axis=0)
    assert found[0] == pytest.approx(expected[0], rel=0.06)
    assert found[1] == pytest.approx(expected[1], rel=0.1)


@pytest.mark.parametrize(
    ("name", "mean", "by_inputs"),
    [
        ("E", 0.395, [0.36, 0.34, 0.34, 0.35, 0.39, 0.43, 0.51, 0.56, 0.57]),
        ("I", 0.284, [0.68, 0.51, 0.40, 0.29, 0.21, 0.13, 0.10, 0.06, 0.04]),
    ],
)
def test_selectivity_follows_the_number_of_lgn_inputs(
    runs: list[Found], name: str, mean: float, by_inputs: list[float]
) -> None:
    """1 - circular variance of cells of the central hypercolumn with more than 1 spike/s.

    Within .025 of the mean, of which seeds take .01, and .06 of the means of classes: their least, 20 cells of three seeds
    with an SD of .2, have a standard error of .03 there and more in the original's one.
    """
    values, inputs = [], []
    for seed, found in zip(SEEDS, runs):
        starts = wiring_of(seed).starts_e if name == "E" else wiring_of(seed).starts_i
        own, active = measures.one_minus_cv(orientations(found), name)
        values.append(own[active])
        inputs.append(np.minimum(np.diff(starts), 8)[measures.CENTRAL[name]][active])
    value, number = np.concatenate(values), np.concatenate(inputs)
    assert value.mean() == pytest.approx(mean, abs=0.025)
    assert [value[number == k].mean() for k in range(9)] == pytest.approx(by_inputs, abs=0.06)


def test_gamma_under_a_grating_is_the_original_s(runs: list[Found]) -> None:
    """62 to 66 Hz at a resolution of 2 Hz: every seed's spectrum of the central E cells, and of discs; its height too."""
    for found in runs:
        power = np.mean([found.central[name] for name in GRATINGS], axis=0)
        assert 62 <= measures.peak_hz(power) <= 66
        assert 62 <= measures.peak_hz(found.discs["0"]) <= 66
    # One run of 1.5 s holds three periods of 2 Hz: its peak is known to a third. The original's eight had 280 to 470.
    highest = np.mean([found.central[name].max() for found in runs for name in GRATINGS])
    assert 280 < highest < 470
    assert 35 < np.mean([found.discs["0"].max() for found in runs]) < 65


def test_gamma_of_the_network_itself_is_faster(runs: list[Found]) -> None:
    """Layer 6 at a constant rate imposes nothing: 72 Hz, to 4 Hz in any seed, and less than half as high."""
    for found in runs:
        assert measures.peak_hz(found.central["unmodulated"]) == pytest.approx(72.0, abs=4.0)
    own, imposed = (np.mean([found.central[c].max() for found in runs]) for c in ("unmodulated", "0"))
    assert own < imposed / 2


def test_gamma_of_the_background_is_weak_and_slower(runs: list[Found]) -> None:
    """The E and I cells of discs have a peak at 50 Hz, 11 times Poisson, as the original's; and its power in every band.

    That of the few spikes of the central E cells is about as high anywhere from 5 to 50 Hz: its largest value is no measure.
    Heights are those of single runs, as the original's: the largest of values that scatter.
    """
    power = np.mean([found.discs["background"] for found in runs], axis=0)
    assert measures.peak_hz(power) == pytest.approx(50.0, abs=4.0)
    assert np.mean([found.discs["background"].max() for found in runs]) == pytest.approx(10.8, rel=0.3)
    hz = np.fft.rfftfreq(500, 1e-3)
    bands = [power[(hz >= low) & (hz < high)].mean() for low, high in ((20, 40), (40, 60), (60, 80), (80, 120))]
    assert bands == pytest.approx([4.30, 5.66, 3.73, 2.35], rel=0.15)
    central = np.mean([found.central["background"] for found in runs], axis=0)
    assert central.max() < 60
    assert central[(hz >= 20) & (hz < 50)].min() > central.max() / 6


@pytest.fixture(scope="module")
def degrees() -> dict[tuple[str, str], np.ndarray]:
    """Number of inputs of every E and I cell from each population, float64 [cell]."""
    net = v1()
    plan = compile_network(net, 1, "fast")
    merged, out = with_plastic(plan), {}
    for s in merged.synapses:
        alone = dataclasses.replace(merged, synapses=(s,))
        source, target = plan.neurons[s.source], plan.neurons[s.target]
        found = drawn_synapses(alone, 0, 1).target - target.first
        out[target.name, source.name] = np.bincount(found, minlength=target.size).astype(float)
    return out


def test_indegrees_of_the_central_hypercolumn_are_the_original_s(degrees: dict[tuple[str, str], np.ndarray]) -> None:
    """Means of a thousand cells and more: to 2 %, as the expected in-degree has its own tolerance in the original.

    Cells of layer 6 are on a random 83 % of 3,400 sites that the central hypercolumn sees: both draws of them have a standard
    deviation of .8 %, the difference 1.1 %, so that 3.5 % are three of them.
    """
    expected = {
        ("E", "E"): 195.7, ("E", "I"): 101.9, ("I", "E"): 752.0, ("I", "I"): 101.8, ("E", "L6"): 39.1, ("I", "L6"): 82.9,
        ("E", "LGN"): 3.55, ("I", "LGN"): 3.07,
    }  # fmt: skip
    for (target, source), published in expected.items():
        mean = degrees[target, source][measures.CENTRAL[target]].mean()
        assert mean == pytest.approx(published, rel={"LGN": 0.04, "L6": 0.035}.get(source, 0.02)), (target, source)
    # Density times the integral of the kernel, over the whole sheet, whose draw of sites is known to .2 %.
    density = 22_415 / (165 * 164) / 12.682**2
    analytic = 0.6 * density * 2 * np.pi * 80.0**2 * (1 - np.exp(-(120.0**2) / (2 * 80.0**2)))
    assert degrees["I", "L6"].mean() == pytest.approx(analytic, rel=0.01)
    inputs = np.minimum(degrees["E", "LGN"], 8).astype(int)[measures.CENTRAL["E"]]
    by_inputs = {
        "E": {0: 268.4, 1: 251.5, 2: 229.5, 3: 207.0, 4: 182.3, 5: 166.5, 6: 150.7, 8: 118.2},
        "L6": {0: 60.8, 2: 49.4, 4: 35.3, 6: 25.5, 8: 16.3},
    }
    for source, table in by_inputs.items():
        own = degrees["E", source][measures.CENTRAL["E"]]
        found = [own[inputs == k].mean() for k in table]
        for k, mean, published in zip(table, found, table.values()):
            # Of 60 cells with 8 inputs, and as many in the original's one draw, the means differ by 1.3 % (E) and more (L6).
            few = 0.08 if source == "L6" else 0.04 if k == 8 else 0.015
            assert mean == pytest.approx(published, rel=few), (source, k)
    own = degrees["I", "E"][measures.CENTRAL["I"]]
    few = np.minimum(degrees["I", "LGN"], 8)[measures.CENTRAL["I"]] <= 4
    assert own[few].mean() == pytest.approx(787, rel=0.01)


def test_indegrees_are_kept_at_the_edges(degrees: dict[tuple[str, str], np.ndarray]) -> None:
    """The whole sheet has the in-degrees of its middle."""
    for (target, source), published in {
        ("E", "E"): 196.0,
        ("E", "I"): 101.6,
        ("I", "E"): 751.4,
        ("I", "I"): 101.1,
    }.items():
        assert degrees[target, source].mean() == pytest.approx(published, rel=0.01), (target, source)
        edge = (measures.XY[target] < 60.0).any(axis=1)
        assert degrees[target, source][edge].mean() == pytest.approx(published, rel=0.03), (target, source)


@pytest.mark.parametrize(
    ("contrast", "expected"), [(0.0, (1.74, 7.94, 17.8)), (1.0, (3.33, 21.1, 39.5))], ids=["background", "driven"]
)
def test_with_the_published_wiring_rates_are_those_of_the_original(
    contrast: float, expected: tuple[float, ...], mirror: Path
) -> None:
    """Layer 6 spikes are replayed, as in the original; both repeat to 1 to 2 %."""
    files = mirror / "v1_chariker2016"
    if not files.is_dir():
        pytest.skip("no published wiring in the mirror")
    given, recorded = np.load(files / "lgn_wiring.npz"), np.load(files / "l6_spikes.npz")
    listed = [given[name].astype(np.int64) for name in ("ptrE", "idxE", "ptrI", "idxI")]
    layer6 = np.stack([given["l6x"], given["l6y"]], axis=1)
    w = v1_wiring.given(np.random.Generator(np.random.PCG64(1)), given["xlgn"], *listed, layer6)
    times, cells = recorded["t_ms"].astype(np.float64) % 800.0, recorded["cell"].astype(np.int64)
    again = np.concatenate([times + 800.0 * k for k in range(3)])
    spikes = SpikeListInput("L6", np.tile(cells, 3), again, 1.0, name="layer 6")
    drive = spikes if contrast > 0.5 else layer6_drive(w, contrast, 0.5)
    net = sheet(w, (grating(w, 0.0, contrast, 2.5, 4.0), drive, layer6_gate(w, 0.0, 2.5)))
    (found,) = run(net, [Condition("as_given")], 1)
    rate = measures.rates(found)
    assert [rate[measures.CELLS[name]].mean() for name in ("E", "I", "LGN")] == pytest.approx(expected, rel=0.03)
