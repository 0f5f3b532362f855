"""The clock of the compressed week."""

import threading

from scripts.laboratory.week import _LEAD_S, DrivenClock

MINUTE = 60


def driven(clock: DrivenClock) -> threading.Thread:
    """Somebody who lets a minute pass, second by second."""

    def drive() -> None:
        for _ in range(MINUTE):
            clock.advance(1.0)

    thread = threading.Thread(target=drive, daemon=True)
    thread.start()
    return thread


def test_time_passes_while_nobody_is_at_work() -> None:
    clock = DrivenClock()
    began_at = clock.monotonic()
    driven(clock).join(10)
    assert clock.monotonic() == began_at + MINUTE


def test_time_stands_still_for_whoever_is_at_work_and_goes_on_when_he_waits_again() -> None:
    clock, never = DrivenClock(), threading.Event()
    clock.wait(never, 0.0)  # from here on this thread is at work
    began_at = clock.monotonic()
    driver = driven(clock)
    driver.join(0.2)
    assert driver.is_alive()
    assert clock.monotonic() - began_at <= _LEAD_S + 1.0
    while driver.is_alive():
        clock.wait(never, 0.0)
    assert clock.monotonic() == began_at + MINUTE
