"""Whatever comes in, the tracker keeps its promises."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edged.domain.detections import Detections
from edged.domain.tracks import Tracks, TrackState
from tests.unit.tracking.scenes import make_tracker

_LANDMARKS = np.array([0.0, 1e-45, 1e-38, 3e38, 2.0**24, -(2.0**24)], np.float32).tolist()
wild_floats = st.one_of(st.floats(width=32), st.floats(-10, 700, width=32), st.sampled_from(_LANDMARKS))
sane_corners = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(1, 200), st.integers(1, 200)).map(
    lambda t: (t[0], t[1], t[0] + t[2], t[1] + t[3])
)
gaps_s = st.one_of(st.floats(0, 0.5), st.sampled_from([0.0, 1 / 30, 1 / 30, 1 / 3, 10.0, 1e9]))


@st.composite
def garbage(draw: st.DrawFn) -> Detections:
    """Any floats whatever as boxes, scores and classes, mixed with sane ones."""
    rows = draw(st.integers(0, 6))
    xyxy = draw(arrays(np.float32, (rows, 4), elements=wild_floats))
    for row in range(rows):
        if draw(st.booleans()):
            xyxy[row] = draw(sane_corners)
    confidence = draw(arrays(np.float32, rows, elements=st.one_of(st.floats(width=32), st.floats(0.5, 1, width=32))))
    class_id = draw(arrays(np.int32, rows, elements=st.one_of(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2))))
    return Detections(xyxy, confidence, class_id)


@st.composite
def sane(draw: st.DrawFn) -> Detections:
    """A few boxes in a corner of the frame, so that they meet."""
    boxes = draw(st.lists(sane_corners, max_size=6))
    confidence = draw(arrays(np.float32, len(boxes), elements=st.floats(0, 1, width=32)))
    class_id = draw(arrays(np.int32, len(boxes), elements=st.integers(0, 2)))
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), confidence, class_id)


def assert_in_order(tracks: Tracks, at: float) -> None:
    assert tracks.at == at
    assert (np.diff(tracks.track_id) > 0).all()
    assert np.isin(tracks.state, (TrackState.TENTATIVE, TrackState.CONFIRMED, TrackState.LOST)).all()
    for numbers in (tracks.xyxy, tracks.confidence, tracks.started_at, tracks.seen_at):
        assert np.isfinite(numbers).all()
    assert (tracks.xyxy[:, :2] <= tracks.xyxy[:, 2:]).all()
    assert ((tracks.confidence >= 0) & (tracks.confidence <= 1)).all()
    assert ((tracks.started_at <= tracks.seen_at) & (tracks.seen_at <= at)).all()


def same(a: Tracks, b: Tracks) -> bool:
    return all(np.array_equal(getattr(a, each.name), getattr(b, each.name)) for each in fields(Tracks))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(garbage(), gaps_s), max_size=12))
def test_garbage_never_crashes_and_never_comes_out(steps: list[tuple[Detections, float]]) -> None:
    tracker, at = make_tracker(), 0.0
    for detections, gap_s in steps:
        at += gap_s
        assert_in_order(tracker.update(detections, at), at)
        assert_in_order(tracker.predict(at + gap_s), at + gap_s)


@settings(max_examples=100, deadline=None)
@given(sane(), st.integers(0, 20), st.integers(0, 1000))
def test_more_skipped_frames_hide_nobody_and_no_doubtful_detection_begins_a_track(
    detections: Detections, skipped: int, more: int
) -> None:
    def newcomers(skipped: int) -> int:
        tracker = make_tracker()
        tracker.update(Detections.empty(), 0.0)
        return len(tracker.update(detections, 1.0, skipped=skipped))

    sure = int((detections.confidence >= 0.6).sum())
    assert newcomers(skipped) <= newcomers(skipped + more) <= sure


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(garbage() | sane(), gaps_s, st.integers(0, 9)), max_size=12))
def test_whatever_was_skipped_a_track_counts_from_one_instant_and_from_its_beginning_where_nothing_was(
    steps: list[tuple[Detections, float, int]],
) -> None:
    tracker, at, known = make_tracker(), 0.0, dict[int, float]()
    for detections, gap_s, skipped in steps:
        at += gap_s
        tracks = tracker.update(detections, at, skipped=skipped)
        assert_in_order(tracks, at)
        for track in tracks:
            if track.track_id not in known:
                assert at - 1.0 <= track.started_at <= at
                assert skipped or track.started_at == at
            assert known.setdefault(track.track_id, track.started_at) == track.started_at


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(sane(), gaps_s), max_size=20))
def test_an_id_is_never_used_twice(steps: list[tuple[Detections, float]]) -> None:
    tracker, at, gone, before, highest = make_tracker(), 0.0, set[int](), set[int](), 0
    for detections, gap_s in steps:
        at += gap_s
        now = set(tracker.update(detections, at).track_id.tolist())
        gone |= before - now
        assert not now & gone
        assert all(track_id > highest for track_id in now - before)
        before, highest = now, max(now | {highest})


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(sane(), gaps_s), max_size=12))
def test_predict_changes_no_later_answer(steps: list[tuple[Detections, float]]) -> None:
    quiet, asked, at = make_tracker(), make_tracker(), 0.0
    for detections, gap_s in steps:
        at += gap_s
        assert same(quiet.update(detections, at), asked.update(detections, at))
        asked.predict(at + 0.7)
        assert same(asked.predict(at + 0.1), quiet.predict(at + 0.1))


@settings(max_examples=60, deadline=None)
@given(st.lists(sane(), max_size=15))
def test_no_more_tracks_are_held_than_were_seen_lately(steps: list[Detections]) -> None:
    tracker = make_tracker(lost_after_s=0.1)
    for number, detections in enumerate(steps):
        lately = sum(len(found) for found in steps[max(0, number - 6) : number + 1])
        assert len(tracker.update(detections, number / 30)) <= lately
