from __future__ import annotations

import pytest

from edged.domain.events import Box, EventKind, TrackEvent
from edged.scheduling.agreement import Run, compare

FPS = 10


def walk(seq: int, lane: int) -> Box:
    return (10.0 + 2 * seq, 100.0 * lane, 40.0 + 2 * seq, 100.0 * lane + 80)


def event(kind: EventKind, name: int, seq: int, first: int) -> TrackEvent:
    box = walk(seq, name)
    return TrackEvent(kind, "yard", seq / FPS, name, "person", 0.9, box, (0, 0), None, first / FPS, (seq - first) / FPS)


def run_of(visits: dict[int, tuple[int, int, int]], *, frames: int = 100, looks: int = 100, cpu_s: float = 1.0) -> Run:
    """Visits by name: which lane, first and last frame; told of a second after the first."""
    run = Run("a policy", looks=looks, cpu_s=cpu_s)
    run.boxes = [
        {name: walk(seq, lane) for name, (lane, first, last) in visits.items() if first <= seq <= last}
        for seq in range(frames)
    ]
    for name, (_, first, last) in visits.items():
        run.events += [event(EventKind.APPEARED, name, first + FPS, first), event(EventKind.LEFT, name, last, first)]
    return run


EVERY = run_of({1: (1, 0, 90), 2: (2, 10, 60), 3: (3, 20, 38)})


def test_a_run_agrees_with_itself() -> None:
    same = compare(EVERY, EVERY)
    assert (same.appeared, same.stayed) == (3, 2)
    assert (same.missed, same.duplicated, same.extra, same.late_p95_s) == (0, 0, 0, 0.0)
    assert (same.runs_saved, same.cpu_saved, same.alike) == (0.0, 0.0, 1.0)


def test_other_names_are_no_difference_and_what_is_saved_is_told() -> None:
    other = compare(EVERY, run_of({7: (1, 0, 90), 8: (2, 10, 60), 9: (3, 20, 38)}, looks=20, cpu_s=0.25))
    assert (other.missed, other.duplicated, other.extra) == (0, 0, 0)
    assert (other.runs_saved, other.cpu_saved) == pytest.approx((0.8, 0.75))


def test_an_object_that_is_not_told_is_missed_when_it_stayed() -> None:
    assert compare(EVERY, run_of({1: (1, 0, 90), 2: (2, 10, 60)})).missed == 0, "the third stayed for 1.8 s only"
    assert compare(EVERY, run_of({1: (1, 0, 90), 3: (3, 20, 38)})).missed == 1


def test_an_object_in_two_pieces_is_told_twice_and_not_missed() -> None:
    pieces = compare(EVERY, run_of({1: (1, 0, 45), 4: (1, 46, 90), 2: (2, 10, 60), 3: (3, 20, 38)}))
    assert (pieces.missed, pieces.duplicated) == (0, 1)


def test_somebody_who_is_not_there_is_extra() -> None:
    assert compare(EVERY, run_of({1: (1, 0, 90), 2: (2, 10, 60), 3: (3, 20, 38), 5: (5, 0, 50)})).extra == 1


def test_the_delay_of_the_tellings_is_measured() -> None:
    late = compare(EVERY, run_of({1: (1, 4, 90), 2: (2, 14, 60), 3: (3, 24, 38)}))
    assert late.late_p95_s == pytest.approx(0.4)


def test_runs_without_anybody_agree() -> None:
    assert compare(run_of({}), run_of({})).alike == 1.0
