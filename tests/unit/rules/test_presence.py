"""Presence: tracks in, appeared and left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.domain.events import Box, EventKind, LeftReason, TrackEvent
from edged.domain.tracks import Tracks, TrackState
from edged.rules.presence import Presence

LABELS = ("person", "car", "truck")
PERSON, CAR, TRUCK = range(3)
LOST_AFTER_S = 1.0
STEP_S = 0.1


@dataclass(frozen=True)
class Seen:
    """A track as the test's little tracker knows it: where it is between two instants, in which it is always seen."""

    track_id: int
    from_s: float
    to_s: float
    box_at: Callable[[float], Box]
    class_id: int = PERSON
    confidence: float = 0.8
    glimpsed_s: float = 0.0  # before from_s, too faintly to be listed


def standing(x: float, *, width: float = 40.0) -> Callable[[float], Box]:
    return lambda _: (x, 100.0, x + width, 100.0 + 2.5 * width)


def walking(x: float, *, pace: float, fall: float = 0.0) -> Callable[[float], Box]:
    """`pace` to the right and `fall` downwards in pixels a second; at x when the clock says 0."""
    return lambda at: (x + pace * at, 100.0 + fall * at, x + pace * at + 40.0, 200.0 + fall * at)


def tracks_at(at: float, seen: Sequence[Seen]) -> Tracks:
    """What a tracker would list: those in view, and those last seen less than LOST_AFTER_S ago."""
    listed = [one for one in seen if one.from_s <= at + 1e-9 and at - 1e-9 <= one.to_s + LOST_AFTER_S]
    seen_at = [at if at <= one.to_s + 1e-9 else one.to_s for one in listed]
    boxes = [one.box_at(when) for one, when in zip(listed, seen_at, strict=True)]
    return Tracks(
        at=at,
        track_id=np.array([one.track_id for one in listed], np.int64),
        state=np.array([TrackState.CONFIRMED if when == at else TrackState.LOST for when in seen_at], np.int8),
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.array([one.confidence for one in listed], np.float32),
        class_id=np.array([one.class_id for one in listed], np.int32),
        started_at=np.array([one.from_s - one.glimpsed_s for one in listed], np.float64),
        seen_at=np.array(seen_at, np.float64),
    )


def watch(seen: Sequence[Seen], *, until_s: float, rule: Presence | None = None) -> list[TrackEvent]:
    rule = rule or Presence("yard", LABELS)
    events = []
    for step in range(round(until_s / STEP_S) + 1):
        events += rule.update(tracks_at(round(step * STEP_S, 6), seen))
    return events


def kinds(events: Sequence[TrackEvent]) -> list[tuple[str, int]]:
    return [(str(event.kind), event.track_id) for event in events]


def test_an_object_appears_once_and_leaves_once() -> None:
    events = watch([Seen(7, 0.5, 4.0, walking(0.0, pace=20.0))], until_s=9)
    assert kinds(events) == [("appeared", 7), ("left", 7)]
    appeared, left = events
    assert appeared.at == pytest.approx(1.5)
    assert appeared.duration_s == pytest.approx(1.0)
    assert appeared.exit_xy is None
    assert appeared.reason is None
    assert left.at == pytest.approx(4.0)
    assert left.started_at == pytest.approx(0.5)
    assert left.duration_s == pytest.approx(3.5)
    assert left.entry_xy == pytest.approx((30.0, 200.0))
    assert left.exit_xy == pytest.approx((100.0, 200.0))
    assert left.xyxy == pytest.approx((80.0, 100.0, 120.0, 200.0))
    assert left.reason is LeftReason.GONE
    assert (left.camera, left.label) == ("yard", "person")
    assert left.confidence == pytest.approx(0.8)


def test_the_time_in_which_an_object_was_glimpsed_before_its_track_began_counts() -> None:
    (appeared,) = watch([Seen(7, 1.5, 2.4, standing(10.0), glimpsed_s=0.5)], until_s=2.4)
    assert appeared.at == pytest.approx(2.0)
    assert appeared.started_at == pytest.approx(1.0)


def test_what_is_seen_too_shortly_neither_appears_nor_leaves() -> None:
    rule = Presence("yard", LABELS)
    assert watch([Seen(1, 0.0, 0.9, standing(10.0))], until_s=8, rule=rule) == []
    assert rule.finish(8.0) == []


def test_predictions_are_no_sightings() -> None:
    rule = Presence("yard", LABELS)
    rule.update(tracks_at(0.0, [Seen(1, 0.0, 0.0, standing(10.0))]))
    seen_once = tracks_at(0.5, [Seen(1, 0.0, 0.0, standing(10.0))])
    seen_once.state[:] = TrackState.CONFIRMED
    for tenth in range(1, 40):
        still = Tracks(tenth / 10, *(getattr(seen_once, each.name) for each in fields(Tracks)[1:]))
        assert rule.update(still) == []


def test_a_tentative_track_does_not_appear() -> None:
    rule = Presence("yard", LABELS)
    for tenth in range(30):
        tracks = tracks_at(tenth / 10, [Seen(1, 0.0, 9.0, standing(10.0))])
        tracks.state[:] = TrackState.TENTATIVE
        assert rule.update(tracks) == []


def test_the_label_is_what_the_weightier_votes_say() -> None:
    rule = Presence("road", LABELS)
    votes = [(CAR, 0.9), (TRUCK, 0.3), (TRUCK, 0.3), (TRUCK, 0.2), (CAR, 0.5)]
    for number, (class_id, confidence) in enumerate(votes):
        events = rule.update(
            tracks_at(number * 0.25, [Seen(1, 0.0, 9.0, standing(10.0), class_id=class_id, confidence=confidence)])
        )
    assert [event.label for event in events] == ["car"]
    assert events[0].confidence == pytest.approx(0.7)


def test_the_same_instant_again_does_not_vote_twice() -> None:
    rule = Presence("road", LABELS)
    for _ in range(5):
        rule.update(tracks_at(0.0, [Seen(1, 0.0, 9.0, standing(10.0), class_id=TRUCK, confidence=0.4)]))
    events = rule.update(tracks_at(1.0, [Seen(1, 0.0, 9.0, standing(10.0), class_id=CAR, confidence=0.5)]))
    assert [event.label for event in events] == ["car"]


@pytest.mark.parametrize("box", [(5, 5, 5, 50), (5, 50, 20, 40), (math.nan, 0, 9, 9), (0, 0, math.inf, 9)])
def test_a_degenerate_box_is_no_sighting(box: Box) -> None:
    rule = Presence("yard", LABELS)
    assert watch([Seen(1, 0.0, 5.0, lambda _: box)], until_s=9, rule=rule) == []
    assert rule.finish(9.0) == []


def test_degenerate_boxes_at_both_ends_do_not_become_entry_or_exit() -> None:
    def box_at(at: float) -> Box:
        return (0.0, 0.0, 0.0, 0.0) if at < 0.25 or at > 2.75 else (10.0, 20.0, 30.0, 60.0)

    _, left = watch([Seen(1, 0.0, 3.0, box_at)], until_s=9)
    assert left.entry_xy == left.exit_xy == (20.0, 60.0)
    assert left.at == pytest.approx(2.7)


def test_a_prediction_after_a_degenerate_sighting_is_no_sighting() -> None:
    rule = Presence("yard", LABELS)
    watch([Seen(1, 0.0, 9.0, standing(10.0))], until_s=2, rule=rule)
    rule.update(tracks_at(2.1, [Seen(1, 0.0, 2.1, lambda _: (9.0, 9.0, 9.0, 9.0))]))
    rule.update(tracks_at(2.2, [Seen(1, 0.0, 2.1, standing(10.0))]))
    assert [event.at for event in rule.finish(2.2)] == [2.0]


def test_a_short_occlusion_that_the_tracker_bridges_says_nothing() -> None:
    rule = Presence("yard", LABELS)
    events = watch([Seen(1, 0.0, 2.0, standing(10.0))], until_s=2.8, rule=rule)
    back = Seen(1, 0.0, 9.0, standing(12.0))
    for tenth in range(29, 50):
        events += rule.update(tracks_at(tenth / 10, [back]))
    assert kinds(events) == [("appeared", 1)]


@pytest.mark.parametrize("gap_s", [0.2, 0.8, 1.5, 2.5])
@pytest.mark.parametrize(("pace", "fall"), [(0.0, 0.0), (25.0, 0.0), (-60.0, 0.0), (0.0, 25.0), (20.0, -60.0)])
def test_an_object_that_the_tracker_lost_and_found_again_is_told_once(gap_s: float, pace: float, fall: float) -> None:
    path = walking(300.0, pace=pace, fall=fall)
    back_s = round(3.0 + gap_s, 6)
    events = watch([Seen(1, 0.0, 3.0, path), Seen(2, back_s, 7.0, path)], until_s=14)
    assert kinds(events) == [("appeared", 1), ("left", 1)]
    assert events[1].at == pytest.approx(7.0)
    assert events[1].duration_s == pytest.approx(7.0)
    assert events[1].entry_xy == pytest.approx((320.0, 200.0))


@pytest.mark.parametrize(("right_px", "down_px"), [(15.0, 0.0), (0.0, 15.0), (-10.0, -10.0)])
def test_one_who_is_found_again_a_step_away_is_the_same(right_px: float, down_px: float) -> None:
    there: Box = (10.0 + right_px, 100.0 + down_px, 50.0 + right_px, 200.0 + down_px)
    events = watch([Seen(1, 0.0, 3.0, standing(10.0)), Seen(2, 4.5, 9.0, lambda _: there)], until_s=9)
    assert kinds(events) == [("appeared", 1)]


def test_an_object_that_goes_on_as_another_track_is_followed_under_its_first_id() -> None:
    rule, path = Presence("yard", LABELS), standing(10.0)
    watch([Seen(1, 0.0, 3.0, path), Seen(2, 5.0, 9.0, path)], until_s=5.5, rule=rule)
    assert rule.followed() == {1: 1, 2: 2}  # not settled yet
    watch([Seen(1, 0.0, 3.0, path), Seen(2, 5.0, 9.0, path)], until_s=7, rule=(rule := Presence("yard", LABELS)))
    assert rule.followed() == {1: 1, 2: 1}


def test_an_object_in_many_fragments_is_told_once() -> None:
    path = walking(0.0, pace=15.0)
    fragments = [Seen(number, 3.0 * number, 3.0 * number + 2.0, path) for number in range(6)]
    assert kinds(watch(fragments, until_s=25)) == [("appeared", 0), ("left", 0)]


def test_who_was_glimpsed_before_the_other_vanished_may_go_on_as_it() -> None:
    scene = [Seen(1, 0.0, 4.0, standing(10.0)), Seen(2, 4.5, 9.0, standing(10.0), glimpsed_s=0.8)]
    assert kinds(watch(scene, until_s=15)) == [("appeared", 1), ("left", 1)]


def test_a_track_that_starts_while_the_other_is_still_seen_is_another_object() -> None:
    events = watch([Seen(1, 0.0, 3.0, standing(10.0)), Seen(2, 2.9, 9.0, standing(11.0))], until_s=8)
    assert kinds(events) == [("appeared", 1), ("appeared", 2), ("left", 1)]


def test_a_new_track_waits_while_the_tracker_still_looks_for_an_object_that_it_may_be() -> None:
    old, new = Seen(1, 0.0, 3.0, standing(10.0)), Seen(2, 3.2, 9.0, standing(12.0))
    rule = Presence("yard", LABELS, seen_for_s=0.3)
    assert kinds(watch([old, new], until_s=3.9, rule=rule)) == [("appeared", 1)]  # due at 3.5, but 1 is only LOST
    found_again = Seen(1, 0.0, 9.0, standing(10.0))
    assert kinds(rule.update(tracks_at(4.0, [found_again, new]))) == [("appeared", 2)]


def test_two_people_who_cross_stay_two() -> None:
    right, left = walking(0.0, pace=50.0), walking(300.0, pace=-50.0)
    seen = [
        Seen(1, 0.0, 2.6, right),  # hidden by the other as they pass
        Seen(2, 0.0, 6.0, left),
        Seen(3, 3.4, 6.0, right),
    ]
    events = watch(seen, until_s=12)
    assert kinds(events) == [("appeared", 1), ("appeared", 2), ("left", 1), ("left", 2)]
    exits = {event.track_id: event.exit_xy for event in events if event.kind is EventKind.LEFT}
    assert exits[1] == pytest.approx((320.0, 200.0))
    assert exits[2] == pytest.approx((20.0, 200.0))


def test_one_who_leaves_and_one_who_enters_at_the_same_place_are_two() -> None:
    out, back_in = walking(0.0, pace=50.0), walking(400.0, pace=-50.0)
    events = watch([Seen(1, 0.0, 4.0, out), Seen(2, 4.1, 8.0, back_in)], until_s=14)
    assert kinds(events) == [("appeared", 1), ("appeared", 2), ("left", 1), ("left", 2)]


@pytest.mark.parametrize(
    ("path", "class_id"),
    [
        (standing(10.0), CAR),  # of another kind
        (standing(50.0), PERSON),  # too far away
        (lambda _: (10.0, 140.0, 50.0, 240.0), PERSON),  # too far below
        (standing(10.0, width=60.0), PERSON),  # too big
    ],
)
def test_a_track_that_is_unlike_the_one_that_vanished_is_another_object(
    path: Callable[[float], Box], class_id: int
) -> None:
    events = watch([Seen(1, 0.0, 3.0, standing(10.0)), Seen(2, 4.5, 9.0, path, class_id)], until_s=9)
    assert sorted(kinds(events)) == [("appeared", 1), ("appeared", 2), ("left", 1)]


def test_a_track_that_comes_too_late_is_another_object() -> None:
    events = watch([Seen(1, 0.0, 3.0, standing(10.0)), Seen(2, 6.2, 9.0, standing(10.0))], until_s=15)
    assert kinds(events) == [("appeared", 1), ("left", 1), ("appeared", 2), ("left", 2)]


def test_left_waits_for_a_track_that_may_yet_prove_to_be_the_same_object() -> None:
    rule = Presence("yard", LABELS, seen_for_s=2.0)
    events = watch([Seen(1, 0.0, 3.0, standing(10.0)), Seen(2, 5.9, 12.0, standing(10.0))], until_s=11, rule=rule)
    assert kinds(events) == [("appeared", 1)]


def test_of_two_that_vanished_the_better_fit_goes_on() -> None:
    seen = [Seen(1, 0.0, 3.0, standing(10.0)), Seen(2, 0.0, 3.0, standing(20.0)), Seen(3, 4.5, 9.0, standing(19.0))]
    events = watch(seen, until_s=15)
    assert kinds(events) == [("appeared", 1), ("appeared", 2), ("left", 1), ("left", 2)]
    assert [event.at for event in events[2:]] == pytest.approx([3.0, 9.0])


def test_with_no_time_to_rejoin_every_track_is_an_object() -> None:
    rule = Presence("yard", LABELS, rejoin_within_s=0.0)
    events = watch([Seen(1, 0.0, 3.0, standing(10.0)), Seen(2, 3.5, 6.0, standing(10.0))], until_s=9, rule=rule)
    assert kinds(events) == [("appeared", 1), ("left", 1), ("appeared", 2), ("left", 2)]


@pytest.mark.parametrize("began_at", [0.3, 77.123, 12516.45659131])
def test_a_second_at_ten_frames_a_second_is_ten_frames_whatever_the_clock_said_at_the_first(began_at: float) -> None:
    """Instants are floats: the difference of two that are a second apart may be a little less than 1."""
    for first in range(60):
        rule = Presence("yard", LABELS)
        instants = [began_at + (first + step) / 10 for step in range(11)]
        person = Seen(1, instants[0], instants[-1], standing(10.0))
        for at in instants[:-1]:
            assert rule.update(tracks_at(at, [person])) == []
        assert not rule.is_due(instants[-2])
        assert rule.is_due(instants[-1])
        assert kinds(rule.update(tracks_at(instants[-1], [person]))) == [("appeared", 1)]


def test_finish_closes_what_is_in_view_and_what_is_held_back() -> None:
    rule = Presence("yard", LABELS)
    watch([Seen(1, 0.0, 3.0, standing(10.0)), Seen(2, 0.0, 9.0, standing(90.0))], until_s=5, rule=rule)
    events = rule.finish(5.0)
    assert [(event.track_id, event.reason, event.at) for event in events] == [
        (1, LeftReason.GONE, 3.0),
        (2, LeftReason.ENDED, 5.0),
    ]
    assert rule.finish(5.0) == []


def test_a_single_look_at_an_empty_scene_says_nothing() -> None:
    rule = Presence("yard", LABELS)
    assert rule.update(Tracks.empty(0.0)) == []
    assert rule.finish(0.0) == []


def test_memory_does_not_grow_with_the_number_of_objects() -> None:
    rule = Presence("yard", LABELS, rejoin_within_s=1.0)
    events = 0
    for number in range(300):
        seen = [Seen(number, 10.0 * number, 10.0 * number + 2, standing(10.0))]
        for step in range(0, 100, 5):
            events += len(rule.update(tracks_at(10.0 * number + step / 10, seen)))
        assert len(rule._visits) + len(rule._gone) <= 1
    assert events == 600


@st.composite
def scenes(draw: st.DrawFn) -> list[Seen]:
    """Tracks at random times and places, some so close that rejoining is possible."""
    tenths = st.integers(0, 80)
    scene = []
    for track_id in range(draw(st.integers(1, 6))):
        start, length = draw(tenths) / 10, draw(st.integers(0, 40)) / 10
        path = walking(draw(st.integers(0, 4)) * 10.0, pace=draw(st.sampled_from([0.0, 10.0, -40.0])))
        scene.append(Seen(track_id, start, round(start + length, 6), path, draw(st.integers(0, 2))))
    return scene


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_who_appeared_leaves_once_after_it_appeared_and_nobody_else_does(scene: list[Seen]) -> None:
    rule = Presence("yard", LABELS)
    events = watch(scene, until_s=10, rule=rule) + rule.finish(10.0)
    appeared = {event.track_id: event for event in events if event.kind is EventKind.APPEARED}
    left = {event.track_id: event for event in events if event.kind is EventKind.LEFT}
    assert len(events) == 2 * len(appeared)
    assert appeared.keys() == left.keys()
    for track_id, event in left.items():
        assert event.at >= appeared[track_id].at
        assert event.duration_s >= 1.0 - 1e-6
    lengths = {one.track_id: min(one.to_s, 10.0) - one.from_s for one in scene}
    assert all(lengths[track_id] >= 1.0 - 1e-6 for track_id in appeared)
