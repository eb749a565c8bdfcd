"""The delta-synapse network in our simulator, timed.

python -m benchmarks.brunel --threads 2 --partitions 1 --duration-ms 1000 --json OUT
"""

from allometry import models
from benchmarks import ours

if __name__ == "__main__":
    args = ours.parser(__doc__, scale=1.0).parse_args()
    ours.timed_run(models.brunel(args.scale), args)
