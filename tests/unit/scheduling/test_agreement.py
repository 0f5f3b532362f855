from __future__ import annotations

import pytest

from edged.domain.events import Box, EventKind, TrackEvent
from edged.scheduling.agreement import Run, compare, pooled_late_p95_s

FPS = 10


def walk(seq: int, lane: int) -> Box:
    return (10.0 + 2 * seq, 100.0 * lane, 40.0 + 2 * seq, 100.0 * lane + 80)


def event(kind: EventKind, name: int, seq: int, first: int) -> TrackEvent:
    box = walk(seq, name)
    return TrackEvent(kind, "yard", seq / FPS, name, "person", 0.9, box, (0, 0), None, first / FPS, (seq - first) / FPS)


def run_of(visits: dict[int, tuple[int, int, int]], *, frames: int = 100, looks: int = 100, cpu_s: float = 1.0) -> Run:
    """Visits by name: which lane, first and last frame; told of a second after the first."""
    run = Run("a policy", at=[seq / FPS for seq in range(frames)], looks=looks, cpu_s=cpu_s)
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
    assert (same.missed, same.joined, same.duplicated, same.extra, same.late_p95_s) == (0, 0, 0, 0, 0.0)
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


def test_how_late_recordings_are_together_is_asked_of_all_their_tellings() -> None:
    """Two of 42 are late: fewer than one in twenty."""
    on_time = compare(EVERY, EVERY)
    late = compare(EVERY, run_of({1: (1, 4, 90), 2: (2, 14, 60), 3: (3, 20, 38)}))
    assert late.late_p95_s == pytest.approx(0.4)
    assert pooled_late_p95_s([late, *[on_time] * 13]) == pytest.approx(0.0)
    assert pooled_late_p95_s([]) == 0.0


def test_what_becomes_of_a_name_after_the_telling_makes_nobody_late() -> None:
    """From frame 25 on the names of two objects are exchanged: most frames of the first name are then the second's."""
    exchanged = run_of({7: (1, 0, 90), 8: (2, 10, 60), 9: (3, 20, 38)})
    other = {7: 8, 8: 7}
    for seq in range(25, 100):
        exchanged.boxes[seq] = {other.get(name, name): box for name, box in exchanged.boxes[seq].items()}
    agreement = compare(EVERY, exchanged)
    assert (agreement.missed, agreement.joined, agreement.duplicated, agreement.extra) == (0, 0, 0, 0)
    assert agreement.late_p95_s == 0.0


def test_a_newcomer_that_is_taken_for_somebody_else_is_joined_and_its_own_telling_is_no_late_one() -> None:
    """The first goes on as the second from where that comes in, until frame 45 sorts them out."""
    taken = run_of({1: (1, 0, 9), 3: (3, 20, 38), 4: (2, 45, 60)})
    for seq in range(10, 45):
        taken.boxes[seq] = {**taken.boxes[seq], 1: walk(seq, 2)}
    agreement = compare(EVERY, taken)
    assert (agreement.missed, agreement.joined) == (0, 1), "the first was told of before it was taken for the second"
    assert agreement.duplicated == 1, "the second, once sorted out"
    assert agreement.late_p95_s == 0.0


def test_a_telling_about_somebody_who_was_hardly_there_is_extra() -> None:
    """It stood in the third's place for two of eleven frames."""
    strayed = run_of({1: (1, 0, 90), 2: (2, 10, 60), 6: (6, 18, 40)})
    for seq in (20, 21):
        strayed.boxes[seq] = {**strayed.boxes[seq], 6: walk(seq, 3)}
    assert compare(EVERY, strayed).extra == 1


def test_runs_without_anybody_agree() -> None:
    assert compare(run_of({}), run_of({})).alike == 1.0
