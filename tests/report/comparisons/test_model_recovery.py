"""Figure of model recovery: three summaries, and the confusion matrix of every measure."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from allometry.compare.kinds.model_recovery.comparison import model_recovery
from tests.report.samples import draw_result, title


def test_every_measure_has_its_summaries_and_its_confusion_matrix(tmp_path: Path, panels: list[Axes]) -> None:
    result = model_recovery({}, of="connectomes", items=40, units=4, noise=0.3, draws=6, nulls=20, seed=1)
    caption = draw_result("model_recovery", result, tmp_path)
    shown = result.curves["recovery"]
    measures, truths = shown["measure"].values.tolist(), shown["truth"].values.tolist()
    assert len(panels) == 3 + len(measures)
    hit, change, unrelated = panels[:3]
    assert [title(ax) for ax in (hit, change, unrelated)] == [
        "Attributed to its own relation",
        f"Scored below: {truths[0]}",
        f"Scored above: {truths[-1]}",
    ]
    # a relation is not told from itself: no number
    assert sum(text.get_text() == "–" for text in change.texts) == len(measures)
    scores = pd.DataFrame(result.rows).set_index(["measure", "candidate", "reference", "group"])["score"]
    for row, measure in enumerate(measures):
        for column, truth in enumerate(truths[1:], start=1):
            expected = scores["recovery_sees_change", measure, truth, ""]
            assert change.images[0].get_array()[row, column] == expected
        confusion = panels[3 + row]
        assert title(confusion) == f"Confusion: {measure.replace('_', ' ')}"
        share = shown["confusion"].values[row]
        np.testing.assert_array_equal(confusion.images[0].get_array(), share)
        assert len(confusion.texts) == np.count_nonzero(share >= 0.005)
    overall = {measure: scores["recovery_hit_rate", measure, "all relations", ""] for measure in measures}
    assert (
        f"{max(overall, key=overall.__getitem__)} attributes most pairs rightly, {max(overall.values()):.2f}" in caption
    )
