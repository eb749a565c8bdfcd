"""Parameters per neuron, receptors by name, forward Euler, and models that cannot be: each beside plain numpy or its message."""

import math
import pickle

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.network import (
    AdEx,
    DCInput,
    Eif,
    ExplicitEdges,
    IafPscDelta,
    IafPscExp,
    Lognormal,
    Network,
    NeuronModel,
    Normal,
    Population,
    Projection,
    Receptor,
    SpikeListInput,
    State,
    Uniform,
    neuron_model,
    parameter,
    refractory_time,
)
from allometry.network.serialise import from_dict, to_dict
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.plan.neurons import drawn
from allometry.simulate.check.validate import check_network
from tests.simulate import engine

N = 60


def _driven(neuron: NeuronModel, current: object = 500.0) -> Network:
    return Network((Population("A", N, neuron),), inputs=(DCInput("A", current),))  # type: ignore[arg-type]


@pytest.mark.parametrize("precision", ["fast", "exact"])
def test_parameters_per_neuron_are_those_of_populations_of_one(precision: str) -> None:
    random = np.random.default_rng(1)
    values = {
        "tau_m": random.uniform(8, 12, N),
        "V_th": random.uniform(-52, -48, N),
        "E_L": random.uniform(-66, -64, N),
        "t_ref": random.choice([1.0, 2.0, 3.5], N),
        "I_e": random.uniform(0, 100, N),
    }
    together = engine.spikes(_driven(IafPscExp(**values)), 1000, precision=precision)
    apart = [
        engine.spikes(Network((Population("A", 1, IafPscExp(**{k: float(v[i]) for k, v in values.items()})),),
                              inputs=(DCInput("A", 500.0),)), 1000, precision=precision)[:, 0]
        for i in range(0, N, 7)
    ]  # fmt: skip
    for i, wanted in zip(range(0, N, 7), apart):
        np.testing.assert_array_equal(together[together[:, 1] == i, 0], wanted)
    assert len(np.unique([len(x) for x in apart])) > 3


def test_an_array_of_equal_values_is_the_number() -> None:
    one = engine.spikes(_driven(IafPscExp(tau_m=9.0, V_th=-51.0), 480.0), 2000)
    many = engine.spikes(_driven(IafPscExp(tau_m=np.full(N, 9.0), V_th=np.full(N, -51.0)), np.full(N, 480.0)), 2000)
    assert len(one) > 10 * N
    np.testing.assert_array_equal(many, one)


@pytest.mark.parametrize("given", [Normal(10.0, 0.5), Lognormal(10.0, 3.0), Uniform(7.0, 13.0)])
def test_drawn_parameters_have_their_distribution_and_do_not_depend_on_the_cut(given: object) -> None:
    population = Population("A", 20_000, IafPscExp(tau_m=given))
    found = drawn(population, 0, 5, 0.1).tau_m  # type: ignore[attr-defined]
    mean, sd = (
        (10.0, 3.0 if isinstance(given, Lognormal) else 0.5) if not isinstance(given, Uniform) else (10.0, 3**0.5)
    )
    assert found.mean() == pytest.approx(mean, abs=5 * sd / 20_000**0.5)
    assert found.std() == pytest.approx(sd, rel=0.05)
    assert not np.array_equal(drawn(population, 1, 5, 0.1).tau_m, found)  # type: ignore[attr-defined]
    net = _driven(AdEx(a=given, V_reset=Normal(-58.0, 1.0), t_ref=1.0), 900.0)
    whole = engine.spikes(net, 600, seed=5)
    assert len(np.unique(whole[:, 0])) > 5
    np.testing.assert_array_equal(engine.spikes(net, 600, 2, 2, seed=5), whole)


def test_drawn_parameters_that_cannot_be_are_refused() -> None:
    net = _driven(IafPscExp(tau_m=Normal(1.0, 1.0)))
    check_network(net)
    with pytest.raises(SimulationError, match=r"tau_m is -[\d.]+\n.*population A, with its drawn parameters"):
        compile_network(net, 1, "fast")


def _euler(p: Eif, events: list[tuple[int, str, float]], steps: int, h: float) -> list[int]:
    """Rosenbaum et al. 2017, in the order of their steps: weights wait one step, currents decay before V moves."""
    current, pending = {"ex": 0.0, "inh": 0.0, "ff": 0.0}, {"ex": 0.0, "inh": 0.0, "ff": 0.0}
    tau = {"ex": p.tau_syn_ex, "inh": p.tau_syn_in, "ff": p.tau_syn_ff}
    v, refractory, spikes = p.E_L, 0, []
    for k in range(steps):
        for step, kind, weight in events:
            # An event of step k acts in that step: it has waited.
            pending[kind] += weight if step == k else 0.0
        for kind in current:
            current[kind] = (current[kind] + pending[kind]) * (1 - h / tau[kind])
            pending[kind] = 0.0
        if refractory == 0:
            flow = -p.g_L * (v - p.E_L) + p.g_L * p.Delta_T * math.exp((v - p.V_th) / p.Delta_T) + sum(current.values())
            v += max(h / p.C_m * (flow + p.I_e), p.V_min - v)
        else:
            v = p.V_peak if refractory > 1 else p.V_reset
            refractory -= 1
            continue
        if v >= p.V_peak:
            spikes.append(k)
            v, refractory = p.V_peak, round(p.t_ref / h)
    return spikes


@pytest.mark.parametrize("cell", ["excitatory", "inhibitory"])
def test_forward_euler_is_that_of_the_spatial_network(cell: str) -> None:
    special = (
        {"g_L": 1 / 15, "Delta_T": 2.0, "t_ref": 1.5}
        if cell == "excitatory"
        else {"g_L": 0.1, "Delta_T": 0.5, "t_ref": 0.5}
    )
    neuron = Eif(
        C_m=1.0, E_L=-60.0, V_th=-50.0, V_peak=-10.0, V_reset=-65.0, V_min=-100.0, tau_syn_ex=6.0, tau_syn_in=5.0,
        tau_syn_ff=7.0, integration="forward_euler", **special,
    )  # fmt: skip
    random = np.random.default_rng(3)
    weight = {"ex": 40 / 50_000**0.5 / 6.0, "inh": -400 / 50_000**0.5 / 5.0, "ff": 120 / 50_000**0.5 / 7.0}
    weight = {kind: round(value * 2**20) / 2**20 for kind, value in weight.items()}
    count, steps = {"ex": 900, "inh": 600, "ff": 6000}, 4000
    events, sources, populations, projections, inputs = [], {}, [Population("n", 1, neuron)], [], []
    for kind, number in count.items():
        at = np.sort(random.integers(0, steps - 10, number))
        at = np.unique(at)
        sources[kind] = at
        relay = IafPscDelta(V_th=0.5, V_reset=0.0, t_ref=0.0)
        populations.append(Population(kind, 1, relay))
        inputs.append(SpikeListInput(kind, np.zeros(len(at), int), at * 0.1, 1.0))
        edge = ExplicitEdges([0], [0], weight[kind], 0.1)  # type: ignore[arg-type]
        projections.append(Projection(kind, "n", edge, receptor="ff" if kind == "ff" else None))
        events += [(int(k) + 1, kind, weight[kind]) for k in at]
    net = Network(tuple(populations), tuple(projections), tuple(inputs))
    found = engine.spikes(net, steps, precision="exact")
    wanted = _euler(neuron, events, steps, 0.1)
    assert len(wanted) > 3
    assert found[found[:, 1] == 0, 0].tolist() == wanted


def test_an_unknown_receptor_is_refused() -> None:
    edge = ExplicitEdges([0], [0], 1.0, 1.0)  # type: ignore[arg-type]
    net = Network((Population("A", 1, Eif()),), (Projection("A", "A", edge, receptor="ff"),))
    with pytest.raises(SimulationError, match=r"unknown receptor 'ff'\n.*projection 0 \(A -> A\)\n.*one of ex, inh"):
        compile_network(net, 1, "fast")


def test_choices_and_their_limits_are_checked() -> None:
    for neuron, said in (
        (Eif(integration="euler"), "integration is 'euler'\n.*\n.*runge_kutta, forward_euler"),
        (Eif(integration="forward_euler"), "t_ref is below the time step"),
        (AdEx(V_reset=1.0), "V_reset 1 is not below V_peak 0 mV"),
        (AdEx(Delta_T=0.0), "Delta_T is 0"),
    ):
        with pytest.raises(SimulationError, match=said):
            check_network(_driven(neuron))


def test_a_model_survives_yaml_and_pickle() -> None:
    neuron = Eif(V_th=Uniform(-51.0, -49.0), C_m=np.array([1.0, 2.0]), integration="forward_euler", t_ref=1.0)
    assert from_dict(to_dict(neuron)) == neuron != Eif()
    assert pickle.loads(pickle.dumps(neuron)) == neuron
    assert "code" not in to_dict(neuron, digest=True)


@neuron_model
class Clock(NeuronModel):
    """Spikes every step, whatever it says."""

    t_ref: float = refractory_time(default=0.0)
    big: float = parameter(default=2.0, unit="mV")
    states = (State("V_m"),)
    receptors = (Receptor("jump", "mV"),)

    @staticmethod
    def step(V_m, jump, big):  # type: ignore[no-untyped-def]
        return V_m + jump, big > 1


def test_a_model_that_breaks_its_refractory_time_is_stopped() -> None:
    assert len(engine.spikes(Network((Population("A", 5, Clock()),)), 100)) == 500
    with pytest.raises(SimulationError, match="sooner after a spike than their refractory time"):
        engine.spikes(Network((Population("A", 5, Clock(t_ref=2.0)),)), 100)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"states": (State("x"),)}, "no state variable is called V_m"),
        ({"receptors": ()}, "there is no receptor"),
        ({"receptors": (Receptor("a", "furlong"),)}, "the unit of weights is 'furlong'"),
        ({"receptors": (Receptor("a", "mV", 1),)}, "no receptor takes negative weights"),
        ({"receptors": (Receptor("V_m", "mV"),)}, "have one name"),
        ({"states": (State("V_m", width="half"),)}, "unknown width"),
        ({"step": lambda V_m: (V_m, False)}, "there is no step"),
    ],
)
def test_incomplete_declarations_are_refused(changed: dict, said: str) -> None:
    whole = {
        "states": (State("V_m"),),
        "receptors": (Receptor("jump", "mV"),),
        "step": staticmethod(lambda V_m: (V_m, False)),
    }
    with pytest.raises(SimulationError, match=said):
        neuron_model(type("Broken", (NeuronModel,), {**whole, **changed}))


def _libm(V_m, jump):  # type: ignore[no-untyped-def]
    return math.exp(V_m) + jump, V_m > 1


def _undefined(V_m, jump):  # type: ignore[no-untyped-def]
    return V_m + jump + nowhere, V_m > 1  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("step", "said"), [(_libm, "calls exp of libm"), (_undefined, "cannot be compiled: NameError: name 'nowhere'")]
)
def test_steps_that_cannot_be_compiled_are_refused(step: object, said: str) -> None:
    body = {"states": (State("V_m"),), "receptors": (Receptor("jump", "mV"),), "step": staticmethod(step)}  # type: ignore[arg-type]
    model = neuron_model(type("Faulty", (NeuronModel,), {**body, "__module__": __name__}))
    (neurons,) = compile_network(Network((Population("A", 2, model()),)), 1, "fast").neurons
    with pytest.raises(SimulationError, match=rf"{said}.*\n.*neuron model Faulty"):
        neurons.block(np.float32, np.int32)
