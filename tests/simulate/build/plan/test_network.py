"""What a compiled network holds, and what compiling it costs."""

from collections import Counter

import numpy as np
import pytest

from allometry.models.brunel import brunel
from allometry.network import PoissonInput
from allometry.simulate.build.plan import inputs, network


def test_counts_of_a_poisson_input_are_tabulated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    net = brunel(scale=0.01)
    tabulated: Counter[float] = Counter()
    tabulate = inputs.poisson_thresholds

    def counted(mean: float) -> tuple[int, np.ndarray]:
        tabulated[mean] += 1
        return tabulate(mean)

    monkeypatch.setattr(inputs, "poisson_thresholds", counted)
    compiled = network.compile_network(net, 1, "fast")
    poisson = [x for x in net.inputs if isinstance(x, PoissonInput)]
    assert tabulated.total() == len(poisson) == len(compiled.poisson) > 0
    assert all(n.input_extent > 0 for n in compiled.neurons)
