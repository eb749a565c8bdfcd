"""Timing of the spike exchange: what is exchanged is what a simulation exchanges, and what is counted is a round."""

import socket
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.simulate.distribute.exchange.mailbox import open_mail
from allometry.simulate.distribute.exchange.timing import rounds_of, time_exchange, us_per_round


def test_a_round_of_known_cost() -> None:
    asked: list[tuple[int, int]] = []

    def timed(spikes: int, rounds: int) -> float:
        asked.append((spikes, rounds))
        return (7e-6 if len(asked) > 3 else 9e-6) * rounds  # the fastest series counts

    assert us_per_round(timed, 12, 0.09) == pytest.approx(7.0)
    assert {spikes for spikes, _ in asked} == {12}
    assert asked[-1][1] == 10_000  # as many as fill the time at 9 us


@pytest.mark.parametrize("share", [True, False])
def test_both_partitions_have_the_messages_of_all_rounds(share: bool) -> None:
    ends = socket.socketpair()

    def partition(end: socket.socket) -> tuple[np.ndarray, np.ndarray]:
        with open_mail([end], 100, share=share) as mail:
            timed = rounds_of(mail, 2)
            assert timed(100, 7) > 0
            assert timed(3, 2) > 0
            return mail.incoming[:, 0, :2].copy(), mail.incoming[:, 0, 2:].copy()

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(partition, ends))
    for end in ends:
        end.close()
    for head, body in found:
        # the last two rounds, of 3 spikes each
        assert head.tolist() == [[8, 3], [9, 3]]
        assert (body[0, :3] == 8).all()
        assert (body[1, :3] == 9).all()


def test_a_partition_that_is_gone_ends_the_other() -> None:
    ends = socket.socketpair()

    def partition(number: int) -> None:
        with open_mail([ends[number]], 1, share=False) as mail:
            if number == 0:
                ends[0].close()
            else:
                rounds_of(mail, 2)(1, 5)

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(partition, number) for number in range(2)]
    ends[1].close()
    with pytest.raises(SimulationError, match="a partition ended during the exchange"):
        jobs[1].result()


@pytest.mark.slow
def test_processes_of_their_own_are_timed() -> None:
    for how in ("memory", "socket"):
        few, many = time_exchange(2, [1, 50_000], how, seconds=0.02)
        # 400 kB are copied at no more than 100 GB/s, and no line travels between cores in less than 10 ns
        assert few > 0.01
        assert many > 4.0
