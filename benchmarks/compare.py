"""Section "compare" of the benchmarks: every measure that has a speed target, beside its peers."""

from pathlib import Path

from benchmarks import compare_crossnobis, compare_ntf, compare_pairwise, compare_permutation, compare_rdm
from benchmarks.compare_case import main

CASES = (compare_crossnobis, compare_pairwise, compare_ntf, compare_rdm, compare_permutation)


def run(results: Path, quick: bool) -> None:
    """Run all cases and write one JSON file each."""
    for module in CASES:
        main(
            module.CASE, ["--json", str(results / f"compare_{module.CASE.name}.json"), *(["--quick"] if quick else [])]
        )
    if not quick:
        out = str(results / "compare_pairwise_1e5.json")
        main(compare_pairwise.CASE, ["--units", "100000", "--json", out])
