"""Every p and every interval of every kind at the smallest size it allows: 400 repeats (slow), or few for gross errors."""

import pytest

from tests.compare.calibration import connectomes, decoders, populations, spikes, systems, verdicts
from tests.compare.calibration.harness import Study

STUDIES: list[Study] = [
    study for module in (connectomes, systems, populations, decoders, spikes, verdicts) for study in module.STUDIES
]
NAMES = [study.name for study in STUDIES]


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES, ids=NAMES)
def test_p_and_intervals_are_calibrated(study: Study) -> None:
    study.check()


@pytest.mark.parametrize("study", STUDIES, ids=NAMES)
def test_no_p_and_no_interval_is_grossly_wrong(study: Study) -> None:
    study.check(study.few)
