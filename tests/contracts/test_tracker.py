"""What every Tracker promises to the pipeline, the rules and the scheduler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest

from edged.domain.detections import Detections
from edged.domain.tracks import Tracks, TrackState
from edged.ports import Tracker
from edged.tracking.bytetrack import ByteTrack


def bytetrack() -> Tracker:
    return ByteTrack(
        high_confidence=0.6, low_confidence=0.1, new_track_confidence=0.7, match_cost_max=0.9, lost_after_s=1.0
    )


@pytest.fixture(params=[bytetrack])
def tracker(request: pytest.FixtureRequest) -> Tracker:
    make: Callable[[], Tracker] = request.param
    return make()


def crowd(at: float) -> Detections:
    """Three objects side by side that walk to the right."""
    left = np.array([100, 300, 500]) + 60 * at
    xyxy = np.stack([left, np.full(3, 100), left + 40, np.full(3, 200)], axis=1)
    return Detections(xyxy.astype(np.float32), np.full(3, 0.9, np.float32), np.array([0, 2, 0], np.int32))


def snapshot(tracks: Tracks) -> list[list[float]]:
    return [np.asarray(getattr(tracks, each.name)).ravel().tolist() for each in fields(Tracks)]


def test_nothing_seen_gives_no_tracks(tracker: Tracker) -> None:
    assert len(tracker.predict(0.0)) == 0
    assert len(tracker.update(Detections.empty(), 0.0)) == 0


def test_arrays_are_parallel_and_of_the_promised_types(tracker: Tracker) -> None:
    for tracks in (tracker.update(crowd(0), 0.0), tracker.predict(0.1), tracker.update(Detections.empty(), 0.2)):
        assert tracks.xyxy.shape == (3, 4)
        for name, dtype in [
            ("track_id", np.int64),
            ("state", np.int8),
            ("xyxy", np.float32),
            ("confidence", np.float32),
            ("class_id", np.int32),
            ("started_at", np.float64),
            ("seen_at", np.float64),
        ]:
            column = getattr(tracks, name)
            assert column.dtype == dtype
            assert len(column) == 3
            assert column.flags.c_contiguous


def test_tracks_are_ordered_by_id_and_say_when_they_were_seen(tracker: Tracker) -> None:
    tracker.update(crowd(1.0), 1.0)
    tracks = tracker.update(crowd(1.1), 1.1)
    assert (np.diff(tracks.track_id) > 0).all()
    assert tracks.at == 1.1
    assert tracks.started_at.tolist() == [1.0] * 3
    assert tracks.seen_at.tolist() == [1.1] * 3
    assert tracks.class_id.tolist() == [0, 2, 0]
    assert len(tracks.confirmed()) == 3


def test_what_is_missed_is_lost_and_later_gone(tracker: Tracker) -> None:
    tracker.update(crowd(0), 0.0)
    tracker.update(crowd(0.1), 0.1)
    assert (tracker.update(Detections.empty(), 0.2).state == TrackState.LOST).all()
    assert len(tracker.update(Detections.empty(), 100.0)) == 0


def test_predict_changes_nothing(tracker: Tracker) -> None:
    tracker.update(crowd(0), 0.0)
    tracker.update(crowd(0.1), 0.1)
    before = snapshot(tracker.predict(0.15))
    tracker.predict(3.0)
    assert snapshot(tracker.predict(0.15)) == before


def test_what_was_handed_out_and_taken_in_stays_the_callers(tracker: Tracker) -> None:
    detections = crowd(0)
    tracks = tracker.update(detections, 0.0)
    before = snapshot(tracker.predict(0.1))
    for column in fields(Tracks)[1:]:
        getattr(tracks, column.name)[:] = 0
    detections.xyxy[:] = 0
    assert snapshot(tracker.predict(0.1)) == before


def test_read_only_arrays_are_welcome(tracker: Tracker) -> None:
    detections = crowd(0)
    for column in (detections.xyxy, detections.confidence, detections.class_id):
        column.setflags(write=False)
    assert len(tracker.update(detections, 0.0)) == 3
