"""What one exchange of spikes takes: MPI beside sockets and shared memory, by ranks and message size, on this host.

    python -m benchmarks.exchange --json benchmarks/results/exchange.json
    python -m benchmarks.exchange --quick

A round is what partitions do once per minimum delay: each sends one message to every other one and waits for theirs; nothing
is computed between. Ranks are processes of one thread; where they outnumber the cores they take turns. MPI is timed where
mpi4py is importable and `mpiexec` is beside this Python or on the path (`pip install 'allometry[mpi]' mpich`).
"""

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from allometry.simulate.distribute.clusters import mpi
from allometry.simulate.distribute.exchange import rendezvous
from allometry.simulate.distribute.exchange.mailbox import open_mail
from allometry.simulate.distribute.exchange.timing import rounds_of, time_exchange, us_per_round
from benchmarks import measure

RANKS, QUICK_RANKS = (2, 3, 5, 8), (2, 3)
SPIKES, QUICK_SPIKES = (0, 16, 62, 256, 1024, 8192), (0, 256)
#: Share of the machine that others may use before a measurement is marked.
QUIET = 0.05


def launcher() -> str | None:
    """Return the `mpiexec` that belongs to this Python, or that of the path; None where MPI cannot be timed."""
    if importlib.util.find_spec("mpi4py") is None:
        return None
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else shutil.which("mpiexec")


def by_mpi(ranks: int, spikes: tuple[int, ...], seconds: float) -> dict[str, Any]:
    """Start ranks that time themselves; their microseconds per message size, and the name of the library."""
    program = launcher()
    assert program is not None
    command = [program, "-n", str(ranks), sys.executable, "-m", "benchmarks.exchange", "--rank"]
    command += ["--seconds", str(seconds), "--spikes", *map(str, spikes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rank(spikes: tuple[int, ...], seconds: float) -> None:
    """Be one of the ranks: the first says how many rounds there are, and prints what the slowest took."""
    world = mpi.require(mpi.join("mpi"))
    from mpi4py import MPI

    everyone = MPI.COMM_WORLD
    addresses = everyone.allgather(rendezvous.listen("timing", world.rank))
    sockets = rendezvous.connect("timing", world.rank, addresses, world.token)
    with contextlib.ExitStack() as stack:
        for s in sockets:
            stack.callback(s.close)
        mail = stack.enter_context(open_mail(sockets, max(spikes), ranks=world))
        own = rounds_of(mail, world.size)

        def timed(size: int, rounds: int) -> float:
            rounds = everyone.bcast(rounds, root=0)
            return float(everyone.allreduce(own(size, rounds), op=MPI.MAX))

        found = [us_per_round(timed, size, seconds) for size in spikes]
    if world.rank == 0:
        print(json.dumps({"us": found, "library": MPI.Get_library_version().splitlines()[0].strip("\0 ")}))


def table(result: dict[str, Any]) -> str:
    """Microseconds per round as a table in Markdown."""
    spikes = result["spikes"]
    lines = [
        "| ranks | exchange | " + " | ".join(f"{8 * n:,} B" for n in spikes) + " |",
        "|---" * (2 + len(spikes)) + "|",
    ]
    for ranks, ways in result["us_per_round"].items():
        lines += [
            f"| {ranks} | {how} | " + " | ".join(f"{us:.3g}" for us in found) + " |" for how, found in ways.items()
        ]
    return "\n".join(lines)


def main() -> None:
    """Time every exchange at every number of ranks, in turn; print a table, write the numbers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few ranks and sizes, a tenth of the rounds")
    parser.add_argument("--seconds", type=float, help="how long one of the three series of rounds takes (.3)")
    parser.add_argument("--spikes", type=int, nargs="+", help="spikes of a message, 8 bytes each")
    parser.add_argument("--ranks", type=int, nargs="+", help="numbers of ranks, at least 2")
    parser.add_argument("--json", type=Path, help="file to write the result to")
    parser.add_argument("--rank", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    seconds = args.seconds or (0.03 if args.quick else 0.3)
    spikes = tuple(args.spikes or (QUICK_SPIKES if args.quick else SPIKES))
    if args.rank:
        rank(spikes, seconds)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    library = None
    us: dict[str, dict[str, list[float]]] = {}
    with measure.Stopwatch() as watch:
        for ranks in args.ranks or (QUICK_RANKS if args.quick else RANKS):
            ways = {how: time_exchange(ranks, spikes, how, seconds) for how in ("memory", "socket")}
            if launcher() is not None:
                found = by_mpi(ranks, spikes, seconds)
                ways["MPI"], library = found["us"], found["library"]
            us[str(ranks)] = {how: [round(one, 3) for one in some] for how, some in ways.items()}
    result = {
        "spikes": list(spikes),
        "us_per_round": us,
        "mpi": library,
        "others_share": round(watch.others_share, 4),
        "machine": measure.machine(),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    machine = result["machine"]
    assert isinstance(machine, dict)
    loaded = "; UNDER LOAD: not to be quoted" if watch.others_share > QUIET else ""
    print(f"us per round; {machine['cpu']}, {machine['cpus']} CPUs; MPI: {library or 'not there, not measured'}")
    print(f"others used {watch.others_share:.0%} of the machine meanwhile{loaded}\n")
    print(table(result))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
