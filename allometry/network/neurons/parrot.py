"""`parrot`: repeats what it receives, so that many targets share one source."""

# Steps are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from allometry.network.neuron_model import NeuronModel, Receptor, State, neuron_model


@neuron_model
class Parrot(NeuronModel):
    """A source of spikes: emits one in every step in which something of positive weight arrives.

    Drive it with a `PoissonInput`, `CorrelatedInput` or `SpikeListInput` (any weight above 0) and project from it as from any
    population: all targets then receive the same spikes. What arrives in [t, t + dt) is repeated at t + dt, once: several
    events of one step are one spike, so that Poisson input of rate r gives the rate (1 - exp(-r dt)) / dt (NEST's
    `parrot_neuron` repeats them all). V_m is what arrived in the step, mV; weights are in mV.
    """

    states = (State("V_m", "mV"),)
    receptors = (Receptor("arrived", "mV"),)

    @staticmethod
    def step(V_m, arrived):
        """Advance one neuron."""
        return arrived, arrived > 0
