"""A run that is killed, with all that it started, and begun again by the same command ends with the bytes of any other.

The phase of a kill is what the status file says afterwards, when nothing writes it any more.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.faults.conftest import Killed
from tests.faults.runs import DURATION_MS

STEPS = round(DURATION_MS / 0.5)


PHASES = ("build", "step loop", "checkpoint", "publication")


def kill_in(run: Killed, wanted: str) -> Counter[str]:
    """Start a run again and again until it was killed in a phase; the phases in which it was killed.

    In the step loop, and while it writes a checkpoint, one is complete already.
    """
    met: Counter[str] = Counter()
    while not met[wanted]:
        run.start()
        if run.until(lambda: run.phase() == wanted and (wanted in ("build", "publication") or bool(run.checkpoints()))):
            met[run.kill() or "start or end"] += 1
        else:
            assert run.wait() == 0, run.log
        if run.store.exists():
            run.forget()
    return met


def test_five_kills_in_a_row(run: Killed, undisturbed: str, record_property: Callable[[str, object], None]) -> None:
    met: Counter[str] = Counter()
    for wanted in ("build", "step loop", "checkpoint", "step loop", "publication"):
        met += kill_in(run, wanted)
    print(f"killed in {dict(met)}")
    record_property("killed in", dict(met))
    assert all(met[phase] >= 1 for phase in PHASES)
    assert met.total() >= 5
    assert run.start().finished() == undisturbed


def test_a_checkpoint_saves_work(run: Killed, undisturbed: str) -> None:
    """Counted in steps: all that the last checkpoint is ahead of the start; without checkpoints none."""
    run.start()
    assert run.until(lambda: len(run.checkpoints()) == 2)
    run.kill()
    *_, last = run.checkpoints()
    assert 0 < last < STEPS
    assert run.start().finished() == undisturbed
    assert f"continuing from the checkpoint at {last * 0.5:g} ms" in run.log
    assert run.steps == STEPS - last
    run.forget()
    run.start(checkpoint="off")
    assert run.until(
        lambda: any('"step loop"' in path.read_text() for path in run.folder.glob(".out-spool*/status.json"))
    )
    run.kill()
    assert run.start(checkpoint="off").wait() == 0
    assert (run.content, run.steps) == (undisturbed, STEPS)


def test_a_short_run_makes_no_checkpoint_by_itself(run: Killed, undisturbed: str) -> None:
    run.start(checkpoint="auto")
    assert run.until(lambda: run.phase() == "publication")
    assert not run.checkpoints()
    assert run.finished() == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
def test_five_kills_in_each_phase(
    run: Killed, undisturbed: str, phase: str, record_property: Callable[[str, object], None]
) -> None:
    met: Counter[str] = Counter()
    saved = 0
    while met[phase] < 5:
        met += kill_in(run, phase)
        last = max(run.checkpoints(), default=0)
        assert run.start().finished() == undisturbed
        # what is complete need only be published, with as many steps as the process before it measured
        if phase != "publication":
            assert run.steps == STEPS - last
            saved += last
        run.forget()
    print(f"killed in {dict(met)}; steps not redone: {saved}")
    record_property("killed in", dict(met))
    record_property("steps not redone", saved)
    assert met[phase] >= 5
    assert (saved > 0) == (phase in ("step loop", "checkpoint"))
