"""What every thread of a partition needs of all neurons of a population: they compute it together, piece by piece."""

import threading
from collections.abc import Callable

import numpy as np

_PIECE = 512


class Together:
    """Values per neuron that several threads compute and all of them get."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pieces: dict[str, list[np.ndarray | None]] = {}
        self._begun: dict[str, int] = {}
        self._failed: set[str] = set()

    def of(self, name: str, size: int, compute: Callable[[int, int], np.ndarray]) -> np.ndarray:
        """Return the values of all `size` neurons; `compute` returns those of neurons [low, high).

        Every thread that asks computes pieces that nobody has begun, and waits for the others at the end.
        """
        count = -(-size // _PIECE)
        with self._changed:
            pieces = self._pieces.setdefault(name, [None] * count)
        while True:
            with self._changed:
                k = self._begun.get(name, 0)
                self._begun[name] = k + 1
            if k >= count:
                break
            try:
                found = compute(k * _PIECE, min(size, (k + 1) * _PIECE))
            except BaseException:
                with self._changed:
                    self._failed.add(name)
                    self._changed.notify_all()
                raise
            with self._changed:
                pieces[k] = found
                self._changed.notify_all()
        with self._changed:
            self._changed.wait_for(lambda: name in self._failed or all(piece is not None for piece in pieces))
        return np.concatenate([piece for piece in pieces if piece is not None])
