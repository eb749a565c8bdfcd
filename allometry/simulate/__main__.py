"""`srun` or `mpirun python -m allometry.simulate MODEL ...`: every task of a job takes part in one simulation.

Task 0 runs the simulation with `--cluster allocation`; the others are workers for it.
"""

import argparse
import os
import sys

from allometry.errors import AllometryError, terminable
from allometry.processes import one_thread
from allometry.simulate import command
from allometry.simulate.distribute.clusters import mpi


def main(argv: list[str] | None = None) -> int:
    """Run this task's part; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m allometry.simulate", description=__doc__)
    command.configure(parser)
    started = mpi.ranks_started()
    tasks = started if started > 1 else int(os.environ.get("SLURM_NTASKS", "1"))
    parser.set_defaults(cluster="allocation" if tasks > 1 else None, partitions=tasks)
    arguments = parser.parse_args(argv)
    one_thread()
    try:
        with terminable():
            ranks = mpi.join(arguments.exchange) if arguments.cluster == "allocation" else None
            first = ranks.rank == 0 if ranks else os.environ.get("SLURM_PROCID", "0") == "0"
            if arguments.cluster == "allocation" and not first:
                from allometry.simulate.distribute.clusters.kinds import allocation_file
                from allometry.simulate.distribute.join import serve

                serve(allocation_file())
                return 0
            return mpi.leave(command.run(arguments))
    except AllometryError as error:
        print(error, file=sys.stderr, flush=True)
        return mpi.leave(error.status)
    except KeyboardInterrupt as error:
        print(error if error.args else "interrupted", file=sys.stderr, flush=True)
        return mpi.leave(130)


if __name__ == "__main__":
    sys.exit(main())
