"""What all conditions of a run share."""

from dataclasses import dataclass

from allometry.network import Network
from allometry.network.rate_unit import is_rate
from allometry.network.recording import Record

WINDOW_MS = 100.0
FEWEST_STEPS = 1000
"""Steps of a window of rate units at least: their steps are long, and what a window costs is not."""


def window_steps(net: Network) -> int:
    """Return the steps of a window: the unit of segments, progress and checkpoints."""
    return max(FEWEST_STEPS if is_rate(net) else 1, round(WINDOW_MS / net.dt_ms))


@dataclass(frozen=True)
class Setting:
    """What all conditions of a run share.

    Parameters
    ----------
    network : Network
        Without a condition.
    seed, precision, record
        As `simulate.run` takes them.
    first, steps : int
        Step at which the run begins, and at which it ends.
    window_steps : int
        Steps of a window: the unit of segments, progress and checkpoints.
    checkpoint : "off", "auto" or float
        Whether there are checkpoints, and the seconds between them; see `storage.checkpoint.Pace`.
    longest : int
        Steps after which no spike is under way any more.
    keep_state : bool
        Whether the stores hold the state at the end.
    start : str
        File with the state at `first`, and the spikes under way; empty where the run begins at time 0.
    origin : str
        sha256 of the content of the store that the state is from.
    """

    network: Network
    seed: int
    precision: str
    record: Record
    first: int
    steps: int
    window_steps: int
    checkpoint: float | str
    longest: int
    keep_state: bool = False
    start: str = ""
    origin: str = ""

    @property
    def keep(self) -> bool:
        """Whether there may be checkpoints, for which merged windows are kept."""
        return self.checkpoint != "off"

    @property
    def duration_ms(self) -> float:
        """Simulated time, ms."""
        return (self.steps - self.first) * self.network.dt_ms

    def keeps(self, window: int) -> bool:
        """Whether a merged window is kept: with checkpoints, and where its spikes are part of the state at the end."""
        return self.keep or (self.keep_state and (window + 1) * self.window_steps > self.steps - self.longest)

    def windows(self, step: int) -> range:
        """Return the numbers of the windows from a step to the end."""
        return range(step // self.window_steps, -(-self.steps // self.window_steps))
