"""What a compiled network holds, and what compiling it costs."""

from collections import Counter

import pytest

from allometry.models.brunel import brunel
from allometry.network import PoissonInput
from allometry.simulate.build import plan


def test_counts_of_a_poisson_input_are_tabulated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    net = brunel(scale=0.01)
    tabulated: Counter[float] = Counter()
    tabulate = plan.poisson_thresholds

    def counted(mean: float) -> plan.Thresholds:
        tabulated[mean] += 1
        return tabulate(mean)

    monkeypatch.setattr(plan, "poisson_thresholds", counted)
    compiled = plan.compile_network(net, 1, "fast")
    inputs = [x for x in net.inputs if isinstance(x, PoissonInput)]
    assert tabulated.total() == len(inputs) == len(compiled.poisson) > 0
    assert all(n.input_extent > 0 for n in compiled.neurons)
