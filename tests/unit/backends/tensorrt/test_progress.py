"""How a build tells how far it is."""

from edged.backends.tensorrt.progress import BuildProgress, ProgressTeller
from edged.testing.clock import FakeClock


def test_progress_is_told_at_most_every_five_seconds() -> None:
    clock, told = FakeClock(), list[BuildProgress]()
    teller = ProgressTeller(told.append, clock)
    for step in range(35):
        teller.tell(BuildProgress("Timing tactics", step, 100))
        clock.advance(0.5)
    assert [progress.done for progress in told] == [0, 10, 20, 30]


def test_progress_reads_well() -> None:
    assert str(BuildProgress("Timing tactics", 3, 100)) == "Timing tactics 3/100"
    assert str(BuildProgress("building", 0, 0)) == "building"
