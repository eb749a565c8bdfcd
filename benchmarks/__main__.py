"""All benchmarks, or the named sections: `python -m benchmarks [--quick] [SECTION ...]` (`make bench`)."""

import argparse
import importlib
import sys
import tempfile
import time
from pathlib import Path

#: Section to module; the module has `run(results: Path, quick: bool) -> None`, which writes JSON files into `results`.
SECTIONS = {
    "simulate": "benchmarks.simulate",
    "compare": "benchmarks.compare",
    "homogenize": "benchmarks.homogenize",
}
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run the chosen sections; update tables and figure afterwards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument(
        "--results", type=Path, help="folder of the JSON files (default: benchmarks/results; a new one with --quick)"
    )
    args = parser.parse_args()
    unknown = sorted(set(args.sections) - set(SECTIONS))
    if unknown:
        parser.error(f"unknown section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    # results of small sizes must not replace measurements
    results = args.results or (Path(tempfile.mkdtemp(prefix="benchmarks-")) if args.quick else RESULTS)
    results.mkdir(parents=True, exist_ok=True)
    for name in args.sections or SECTIONS:
        started = time.perf_counter()
        print(f"== {name}", flush=True)
        importlib.import_module(SECTIONS[name]).run(results, args.quick)
        print(f"== {name}: {time.perf_counter() - started:.0f} s", flush=True)
    print(f"results: {results}")
    if results == RESULTS and not args.quick:
        importlib.import_module("benchmarks.table").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
