"""When jobs run: the wall time and the largest memory of a workflow on some cores, from what each of its jobs needs."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A job in time: its wall time in s, the cores it takes, its peak memory in bytes, and what it waits for, by number."""

    seconds: float
    cores: int
    memory: int
    after: tuple[int, ...] = ()


def intervals(steps: Sequence[Step], cores: int) -> list[tuple[float, float]]:
    """Begin and end of each step, s, where whatever is ready and fits starts, in the order given.

    Parameters
    ----------
    steps : sequence of Step
        `after` holds places in this sequence; there are no circles.
    cores : int
        A step that wants more than these takes all of them.
    """
    waits = [len(set(step.after)) for step in steps]
    followers: list[list[int]] = [[] for _ in steps]
    for number, step in enumerate(steps):
        for other in set(step.after):
            followers[other].append(number)
    ready = [number for number, count in enumerate(waits) if count == 0]
    found = [(0.0, 0.0)] * len(steps)
    running: list[tuple[float, int]] = []
    now, free = 0.0, cores
    while ready or running:
        for number in list(ready):
            wanted = min(steps[number].cores, cores)
            if wanted <= free:
                ready.remove(number)
                free -= wanted
                found[number] = (now, now + steps[number].seconds)
                heapq.heappush(running, (found[number][1], number))
        now, number = heapq.heappop(running)
        free += min(steps[number].cores, cores)
        for other in followers[number]:
            waits[other] -= 1
            if waits[other] == 0:
                ready.append(other)
        ready.sort()
    return found


def peak(spans: Iterable[tuple[float, float, int]]) -> int:
    """Largest sum of what is there at one time, of things that are there from `begin` to `end`."""
    events = sorted(event for begin, end, amount in spans for event in ((begin, 1, amount), (end, 0, -amount)))
    largest = total = 0
    for _, _, change in events:
        total += change
        largest = max(largest, total)
    return largest
