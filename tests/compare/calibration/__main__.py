"""Print the rates of one study: `python -m tests.compare.calibration STUDY REPEATS`."""

import sys

from tests.compare.calibration.test_calibration import STUDIES

if __name__ == "__main__":
    wanted, repeats = sys.argv[1], int(sys.argv[2])
    for study in STUDIES:
        if wanted in (study.name, "all"):
            print(study.name)
            print(study.rates(repeats).round(3).to_string(), flush=True)
