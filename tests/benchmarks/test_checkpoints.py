"""What checkpoints cost is told from pairs of runs."""

import pytest

from benchmarks import checkpoints


def test_the_row_is_made_of_medians_over_pairs() -> None:
    def run(wall: float, processor: float, count: int = 0, spent: float = 0.0) -> dict[str, float]:
        return {"wall_s": wall, "processor_s": processor, "sim_s": 50.0, "checkpoints": count, "checkpoint_s": spent}

    pairs = [
        (run(100.0, 200.0), run(101.0, 204.0, 2, 1.0)),
        (run(100.0, 200.0), run(103.0, 202.0, 4, 2.0)),
        (run(50.0, 100.0), run(60.0, 101.0, 3, 3.0)),
    ]
    assert checkpoints.summary(pairs) == pytest.approx(
        {"checkpoints": 3, "each_s": 0.5, "share": 0.04, "wall": 1.03, "processor": 1.01}
    )
