"""Rounds of the spike exchange and nothing else: what `distribute.exchange.timing` times."""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.loop.wire import HEAD, collect, post


@compiled
def exchange_rounds(mail, generation, rounds, spikes, abort, patience):
    """Write and exchange `rounds` messages of `spikes` spikes each; returns the last generation and the status of `wire.collect`.

    The spikes are written anew in every round, as the step loop does, so that their cache lines come from the sender's core.
    """
    for _ in range(rounds):
        generation += 1
        outgoing = mail.outgoing[generation & 1]
        for i in range(HEAD + 2, HEAD + 2 + spikes):
            outgoing[i] = generation
        outgoing[HEAD] = generation
        outgoing[HEAD + 1] = spikes
        post(mail, generation)
        status = collect(mail, generation, generation, abort, patience)
        if status != 0:
            return generation, status
    return generation, 0
