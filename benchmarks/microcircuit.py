"""The microcircuit in our simulator, timed.

    python -m benchmarks.microcircuit --scale 1.0 --threads 2 --partitions 1 --duration-ms 1000 --json OUT

writes build_s, sim_s, rtf, peak_rss_gib, spikes, synaptic_events and rates; compile_s is apart.
"""

from allometry import models
from benchmarks import ours

if __name__ == "__main__":
    parser = ours.parser(__doc__)
    parser.add_argument("--k-scale", type=float, help="in-degrees relative to full scale (default: as --scale)")
    args = parser.parse_args()
    ours.timed_run(models.microcircuit(args.scale, args.k_scale), args)
