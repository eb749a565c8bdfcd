"""The spatial balanced network at full size, timed: 50,000 exponential LIF neurons, 186 M synapses.

    python -m benchmarks.spatial_balanced --regime broad --threads 2 --duration-ms 2000 --json OUT

Both regimes of the source (Rosenbaum et al. 2017) make the same synapses; spikes differ a little.
"""

from allometry import models
from benchmarks import ours


def main() -> None:
    """Run one regime and report."""
    parser = ours.parser(__doc__, scale=1.0)
    parser.add_argument("--regime", choices=("narrow", "broad"), default="narrow")
    parser.add_argument("--lattice", type=int, default=25, help="m of 80 m^2 neurons")
    args = parser.parse_args()
    ours.timed_run(models.spatial_balanced(args.regime, args.lattice), args)


if __name__ == "__main__":
    main()
