from __future__ import annotations

import pickle

import numpy as np
import pytest

from edged.domain.detections import Detections
from edged.domain.labels import class_groups
from edged.domain.tracks import Tracks, TrackState
from tests.unit.tracking.scenes import FRAME_S, make_tracker, seen, walker

HERE = (100.0, 100.0, 140.0, 200.0)
THERE = (500.0, 100.0, 540.0, 200.0)
NOTHING = Detections.empty()


def states(tracks: Tracks) -> list[TrackState]:
    return [track.state for track in tracks]


def test_what_the_first_update_shows_is_confirmed_at_once() -> None:
    assert states(make_tracker().update(seen(HERE), 0.0)) == [TrackState.CONFIRMED]


def test_a_later_newcomer_is_tentative_until_it_is_seen_again() -> None:
    tracker = make_tracker()
    tracker.update(NOTHING, 0.0)
    assert states(tracker.update(seen(HERE), 0.1)) == [TrackState.TENTATIVE]
    assert states(tracker.update(seen(HERE), 0.2)) == [TrackState.CONFIRMED]


def test_a_tentative_track_ends_with_its_first_miss() -> None:
    tracker = make_tracker()
    tracker.update(NOTHING, 0.0)
    tracker.update(seen(HERE), 0.1)
    assert len(tracker.update(NOTHING, 0.2)) == 0


def test_a_lost_track_keeps_its_id_after_a_short_occlusion() -> None:
    tracker = make_tracker()
    for frame in range(10):
        tracker.update(seen(walker(frame * FRAME_S)), frame * FRAME_S)
    for frame in range(10, 20):
        assert states(tracker.update(NOTHING, frame * FRAME_S)) == [TrackState.LOST]
    back = tracker.update(seen(walker(20 * FRAME_S)), 20 * FRAME_S)
    assert back.track_id.tolist() == [1]
    assert states(back) == [TrackState.CONFIRMED]


@pytest.mark.parametrize("step_s", [1 / 30, 1 / 10, 1 / 3])
def test_a_lost_track_is_given_up_after_the_same_time_at_any_rate(step_s: float) -> None:
    tracker = make_tracker(lost_after_s=2.0)
    tracker.update(seen(HERE), 0.0)
    ends = [n * step_s for n in range(1, 120) if len(tracker.update(NOTHING, n * step_s)) == 0]
    assert ends[0] == pytest.approx(2.0 + 2.5 * FRAME_S, abs=step_s)


def test_a_lost_track_does_not_come_back_after_its_time() -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE), 0.0)
    tracker.update(NOTHING, 0.1)
    assert 1 not in tracker.update(seen(HERE), 5.0).track_id


def test_a_detector_slower_than_the_time_to_give_up_still_follows() -> None:
    tracker = make_tracker(lost_after_s=1.0)
    for at in (0.0, 3.0, 6.0):
        assert tracker.update(seen(HERE), at).track_id.tolist() == [1]


def test_a_doubtful_detection_continues_a_track_but_begins_none() -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE), 0.0)
    tracks = tracker.update(seen(HERE, THERE, confidence=0.3), FRAME_S)
    assert tracks.track_id.tolist() == [1]
    assert tracks.confidence.tolist() == pytest.approx([0.3])


def test_a_doubtful_detection_does_not_revive_a_lost_track() -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE), 0.0)
    tracker.update(NOTHING, FRAME_S)
    assert states(tracker.update(seen(HERE, confidence=0.3), 2 * FRAME_S)) == [TrackState.LOST]


@pytest.mark.parametrize("confidence", [0.1, 0.6])
def test_a_detection_exactly_at_a_threshold_counts(confidence: float) -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE), 0.0)
    assert states(tracker.update(seen(HERE, confidence=confidence), FRAME_S)) == [TrackState.CONFIRMED]


def test_a_detection_exactly_at_the_threshold_for_new_tracks_begins_one() -> None:
    assert len(make_tracker().update(seen(HERE, confidence=0.7), 0.0)) == 1
    assert len(make_tracker().update(seen(HERE, confidence=0.69), 0.0)) == 0


def test_a_newcomer_on_top_of_a_track_that_was_just_lost_does_not_begin() -> None:
    strict = make_tracker(match_cost_max=0.1)
    strict.update(seen(HERE, confidence=0.99), 0.0)
    strict.update(seen(HERE, confidence=0.99), FRAME_S)
    tracks = strict.update(seen(HERE, confidence=0.8), 2 * FRAME_S)  # the same box, but not alike enough
    assert tracks.track_id.tolist() == [1]
    assert states(tracks) == [TrackState.LOST]


def test_a_younger_track_that_is_lost_under_an_older_one_ends() -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE), 0.0)
    beside = (104.0, 100.0, 144.0, 200.0)
    for frame in range(1, 6):
        assert len(tracker.update(seen(HERE, beside), frame * FRAME_S)) == 2
    tracks = tracker.update(seen((101.5, 100.0, 141.5, 200.0)), 6 * FRAME_S)
    assert tracks.track_id.tolist() == [1]
    assert states(tracks) == [TrackState.CONFIRMED]


def test_weak_and_sure_detections_may_come_in_any_order() -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE, THERE), 0.0)
    mixed = Detections(np.array([THERE, HERE], np.float32), np.array([0.2, 0.9], np.float32), np.zeros(2, np.int32))
    tracks = tracker.update(mixed, FRAME_S)
    assert tracks.xyxy[:, 0].tolist() == pytest.approx([100, 500])
    assert tracks.confidence.tolist() == pytest.approx([0.9, 0.2])


# Classes


def test_a_car_never_continues_a_person() -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE, class_id=0), 0.0)
    tracks = tracker.update(seen(HERE, class_id=2), FRAME_S)
    assert tracks.class_id.tolist() == [0, 2]
    assert states(tracks) == [TrackState.LOST, TrackState.TENTATIVE]


@pytest.mark.parametrize("confidence", [0.9, 0.3])
def test_a_flicker_between_car_and_truck_does_not_break_a_track(confidence: float) -> None:
    tracker = make_tracker(class_group=class_groups(["person", "car", "truck"]))
    tracker.update(seen(HERE, class_id=1), 0.0)
    tracks = tracker.update(seen(HERE, class_id=2, confidence=confidence), FRAME_S)
    assert tracks.track_id.tolist() == [1]
    assert tracks.class_id.tolist() == [2]


def test_a_person_hides_behind_a_car_without_ending_as_its_double() -> None:
    tracker = make_tracker()
    both = Detections(np.array([HERE, HERE], np.float32), np.full(2, 0.9, np.float32), np.array([0, 2], np.int32))
    tracker.update(both, 0.0)
    assert states(tracker.update(seen(HERE, class_id=2), FRAME_S)) == [TrackState.LOST, TrackState.CONFIRMED]


@pytest.mark.parametrize("class_id", [-1, 7, -(2**31), 2**31 - 1])
def test_a_class_beyond_the_groups_is_followed_as_a_stranger(class_id: int) -> None:
    tracker = make_tracker(class_group=class_groups(["person", "car"]))
    tracker.update(seen(HERE, class_id=class_id), 0.0)
    assert tracker.update(seen(HERE, class_id=class_id), FRAME_S).track_id.tolist() == [1]
    assert len(tracker.update(seen(HERE, class_id=0), 2 * FRAME_S)) == 2


# Time


def test_half_the_rate_with_true_time_steps_finds_the_same_speed() -> None:
    full, half = make_tracker(), make_tracker()
    for frame in range(61):
        at = frame * FRAME_S
        full.update(seen(walker(at)), at)
        if frame % 2 == 0:
            half.update(seen(walker(at)), at)
    later = 65 * FRAME_S
    expected = walker(later)
    assert full.predict(later).xyxy[0] == pytest.approx(expected, abs=3)
    assert half.predict(later).xyxy[0] == pytest.approx(expected, abs=3)


def test_an_uneven_rate_keeps_one_id_on_a_fast_walker() -> None:
    tracker, at = make_tracker(), 0.0
    for frame in range(60):
        at += FRAME_S * (1, 5, 2, 8)[frame % 4] if frame > 10 else FRAME_S
        tracks = tracker.update(seen(walker(at, speed_px_s=200)), at)
    assert tracks.track_id.tolist() == [1]


def shift_after_two_sightings(gap_frames: float) -> float:
    """How far to the right a newcomer, who moved by 10 px within the gap, is predicted one frame later."""
    tracker, gap_s = make_tracker(), gap_frames * FRAME_S
    tracker.update(NOTHING, 0.0)
    tracker.update(seen(HERE), 1.0)
    last = tracker.update(seen((110.0, 100.0, 150.0, 200.0)), 1.0 + gap_s)
    return float(tracker.predict(1.0 + gap_s + FRAME_S).xyxy[0, 0] - last.xyxy[0, 0])


def test_a_second_sighting_after_a_long_gap_tells_the_speed() -> None:
    assert shift_after_two_sightings(5.0) == pytest.approx(2.0, abs=0.4)


def test_a_second_sighting_in_the_next_frame_tells_no_speed_yet_whatever_the_jitter() -> None:
    assert shift_after_two_sightings(1.0) == pytest.approx(0.0, abs=1e-4)
    assert shift_after_two_sightings(1.05) == pytest.approx(0.0, abs=0.2)


# Skipped frames


@pytest.mark.parametrize(("frames", "state"), [(1, TrackState.LOST), (4, TrackState.CONFIRMED), (10, TrackState.LOST)])
def test_a_doubtful_detection_revives_who_was_just_lost_only_where_frames_were_skipped(
    frames: int, state: TrackState
) -> None:
    tracker, step_s = make_tracker(), frames * FRAME_S
    tracker.update(seen(HERE), 0.0)
    tracker.update(NOTHING, step_s, skipped=frames - 1)
    assert states(tracker.update(seen(HERE, confidence=0.3), 2 * step_s, skipped=frames - 1)) == [state]


def newcomer_seen_again(*, frames: int, across_px: float = 0.0, down_px: float = 0.0, confidence: float = 0.7) -> bool:
    """Whether a second sighting, so many frames and pixels on, confirms somebody 40 pixels wide and 100 high."""
    tracker = make_tracker()
    tracker.update(NOTHING, 0.0)
    tracker.update(seen(HERE, confidence=0.7), 1.0)
    left, top, right, bottom = HERE
    moved = (left + across_px, top + down_px, right + across_px, bottom + down_px)
    at = 1.0 + frames * FRAME_S
    tracks = tracker.update(seen(moved, confidence=confidence), at, skipped=frames - 1)
    return tracks.track_id.tolist() == [1] and states(tracks) == [TrackState.CONFIRMED]


@pytest.mark.parametrize("way", [{"across_px": 20.0}, {"down_px": 45.0}])
def test_a_newcomer_may_have_moved_farther_where_frames_were_skipped(way: dict[str, float]) -> None:
    assert newcomer_seen_again(frames=4, **way)
    assert not newcomer_seen_again(frames=1, **way)


def test_a_doubtful_second_sighting_counts_only_where_frames_were_skipped_just_now() -> None:
    assert newcomer_seen_again(frames=4, confidence=0.3)
    assert not newcomer_seen_again(frames=1, confidence=0.3)
    assert not newcomer_seen_again(frames=20, confidence=0.3)
    assert not newcomer_seen_again(frames=4, confidence=0.3, across_px=20.0), "overlap must tell that it is the same"


def begins_a_track(confidence: float, *, skipped: int) -> bool:
    """Whether somebody does who is seen for the first time where so many frames were skipped."""
    tracker = make_tracker()
    tracker.update(NOTHING, 0.0)
    return len(tracker.update(seen(HERE, confidence=confidence), 1.0, skipped=skipped)) == 1


def test_the_more_frames_were_skipped_the_less_confidence_begins_a_track_down_to_half_way_to_a_high_one() -> None:
    assert not begins_a_track(0.69, skipped=0)
    assert begins_a_track(0.69, skipped=1)
    assert not begins_a_track(0.66, skipped=3)
    assert begins_a_track(0.66, skipped=4)
    assert begins_a_track(0.651, skipped=5)
    assert not begins_a_track(0.649, skipped=10_000)


def begins_a_track_of_a_glimpse(confidence: float, *, skipped: int, step: float) -> bool:
    """Whether a detection begins a track at the third look at somebody who goes `step` of the way from look to look."""
    tracker = make_tracker()
    tracker.update(NOTHING, 0.0)
    left, top, right, bottom = HERE
    for number in range(3):
        way = step * (right - left) * number
        where = (left + way, top, right + way, bottom)
        found = seen(where, confidence=confidence if number == 2 else 0.3)
        tracks = tracker.update(found, 0.2 * (number + 1), skipped=skipped)
    return len(tracks) == 1


def test_who_was_glimpsed_and_has_moved_since_begins_a_track_with_a_high_confidence() -> None:
    assert begins_a_track_of_a_glimpse(0.61, skipped=1, step=0.5)
    assert not begins_a_track_of_a_glimpse(0.59, skipped=1, step=0.5), "that is none"
    assert not begins_a_track_of_a_glimpse(0.61, skipped=1, step=0.1), "that may be a lamp post"
    assert not begins_a_track_of_a_glimpse(0.61, skipped=0, step=0.5), "the next frame may be better"


def counts_from(confidences: list[float], *, skipped: int, moved: bool = False) -> float:
    """When the only track counts from, of somebody who is seen at these confidences, 0.2 s from one to the next."""
    tracker = make_tracker()
    tracker.update(NOTHING, 0.0)
    for number, confidence in enumerate(confidences, 1):
        here = THERE if moved and number == len(confidences) else HERE
        tracks = tracker.update(seen(here, confidence=confidence), number * 0.2, skipped=skipped)
    (started_at,) = tracks.started_at.tolist()
    return float(started_at)


def test_of_the_time_in_which_somebody_was_seen_doubtfully_the_share_of_the_skipped_frames_counts() -> None:
    assert counts_from([0.3, 0.5, 0.9], skipped=0) == pytest.approx(0.6)
    assert counts_from([0.3, 0.5, 0.9], skipped=1) == pytest.approx(0.4)
    assert counts_from([0.3, 0.5, 0.9], skipped=3) == pytest.approx(0.3)
    assert counts_from([0.3, 0.5, 0.9, 0.9], skipped=3) == pytest.approx(0.3), "however long it lives"
    assert counts_from([0.3, 0.5, 0.9], skipped=3, moved=True) == pytest.approx(0.6), "that was somebody else"


def test_a_look_at_the_very_next_frame_breaks_the_chain_of_doubtful_sightings() -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE, confidence=0.3), 0.2, skipped=5)
    tracker.update(seen(HERE, confidence=0.3), 0.2 + FRAME_S, skipped=0)
    assert tracker.update(seen(HERE), 0.4, skipped=4).started_at.tolist() == [0.4]


def test_a_newcomer_that_begins_anew_counts_from_its_first_sighting() -> None:
    tracker = make_tracker()
    tracker.update(NOTHING, 0.0)
    assert tracker.update(seen(HERE), 0.2, skipped=3).track_id.tolist() == [1]
    tracker.update(seen(THERE, confidence=0.3), 0.4, skipped=3)
    tracks = tracker.update(seen(HERE), 0.6, skipped=3)
    assert tracks.track_id.tolist() == [2]
    assert tracks.started_at.tolist() == pytest.approx([0.3])


def test_a_doubtful_sighting_of_a_car_is_none_of_a_person() -> None:
    tracker = make_tracker()
    tracker.update(NOTHING, 0.0)
    tracker.update(seen(HERE, confidence=0.3, class_id=1), 0.2, skipped=5)
    assert tracker.update(seen(HERE), 0.4, skipped=5).started_at.tolist() == [0.4]


def who_is_found_where_two_overlap(frames: int) -> list[int]:
    """The id that goes on, of a tall (1) and a small one (2), with a small box that lies rather in the tall one's."""
    tracker, tall, small = make_tracker(), (100.0, 100.0, 160.0, 250.0), (125.0, 100.0, 185.0, 200.0)
    tracker.update(seen(tall, small), 0.0)
    tracks = tracker.update(seen((103.0, 100.0, 163.0, 200.0)), frames * FRAME_S, skipped=frames - 1)
    return [track.track_id for track in tracks.confirmed()]


def test_where_frames_were_skipped_height_tells_who_is_who() -> None:
    assert who_is_found_where_two_overlap(frames=1) == [1]
    assert who_is_found_where_two_overlap(frames=5) == [2]


def state_after_a_miss(
    *, frames: int = 4, speed_px_s: float = 0.0, known_s: float = 1.2, misses: int = 1
) -> TrackState:
    """Of somebody who is looked at once in so many frames, and was found each time but the last."""
    tracker, step_s, at = make_tracker(), frames * FRAME_S, 0.0
    while at < known_s:
        at += step_s
        tracker.update(seen(walker(at, speed_px_s=speed_px_s)), at, skipped=frames - 1)
    for miss in range(1, misses + 1):
        tracks = tracker.update(NOTHING, at + miss * step_s, skipped=frames - 1)
    return states(tracks)[0]


def test_one_miss_of_somebody_who_stands_does_not_count_where_frames_were_skipped() -> None:
    assert state_after_a_miss() is TrackState.CONFIRMED
    assert state_after_a_miss(frames=1) is TrackState.LOST, "no frame was skipped"
    assert state_after_a_miss(misses=2) is TrackState.LOST
    assert state_after_a_miss(speed_px_s=150.0) is TrackState.LOST, "who walks may be hidden"
    assert state_after_a_miss(known_s=0.5) is TrackState.LOST, "it may be a false alarm"
    assert state_after_a_miss(frames=12) is TrackState.LOST, "it is too long ago"


def test_over_a_gap_a_box_grows_at_half_its_pace() -> None:
    tracker = make_tracker()
    for frame in range(60):
        grown = 100.0 + frame
        tracker.update(seen((100.0, 300.0 - grown / 2, 140.0, 300.0 + grown / 2)), frame * FRAME_S)
    heights = [float(np.diff(tracker.predict((59 + frames) * FRAME_S).xyxy[0, [1, 3]])[0]) for frames in (0, 1, 5)]
    assert heights[1] - heights[0] == pytest.approx(1.0, abs=0.1)
    assert heights[2] - heights[1] == pytest.approx(2.0, abs=0.2)


def test_predict_moves_a_walker_on() -> None:
    tracker = make_tracker()
    for frame in range(30):
        tracker.update(seen(walker(frame * FRAME_S)), frame * FRAME_S)
    predicted = tracker.predict(34 * FRAME_S)
    assert predicted.xyxy[0] == pytest.approx(walker(34 * FRAME_S), abs=3)
    assert predicted.at == 34 * FRAME_S
    assert predicted.seen_at.tolist() == [29 * FRAME_S]


def test_predict_lists_no_lost_track_after_its_time() -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE), 0.0)
    tracker.update(NOTHING, 0.1)
    assert len(tracker.predict(0.2)) == 1
    assert len(tracker.predict(5.0)) == 0
    assert len(tracker.predict(0.2)) == 1


def test_an_instant_that_stands_still_is_fine() -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE), 1.0)
    assert tracker.update(seen(HERE), 1.0).track_id.tolist() == [1]


@pytest.mark.parametrize("at", [0.9, float("nan"), float("inf")])
def test_time_that_goes_back_or_is_no_number_is_refused(at: float) -> None:
    tracker = make_tracker()
    tracker.update(seen(HERE), 1.0)
    with pytest.raises(ValueError, match="time must"):
        tracker.update(seen(HERE), at)
    with pytest.raises(ValueError, match="time must"):
        tracker.predict(at)
    assert tracker.update(seen(HERE), 1.1).track_id.tolist() == [1]


# Instances, memory


def test_ids_belong_to_the_instance() -> None:
    one, other = make_tracker(), make_tracker()
    assert one.update(seen(HERE, THERE), 0.0).track_id.tolist() == [1, 2]
    assert other.update(seen(HERE), 0.0).track_id.tolist() == [1]


def test_nothing_is_left_of_removed_tracks() -> None:
    tracker, at = make_tracker(lost_after_s=0.1, ids=iter(range(1, 1000))), 0.0
    sizes_bytes = []
    for life in range(300):
        column = 50.0 * (life % 30)
        for _ in range(3):
            at += FRAME_S
            tracks = tracker.update(seen((column, 10, column + 20, 50)), at)
        assert len(tracks) <= 8
        at += 1
        tracker.update(NOTHING, at)
        at += 1
        assert len(tracker.update(NOTHING, at)) == 0
        sizes_bytes.append(len(pickle.dumps(tracker)))
    assert sizes_bytes[-1] <= sizes_bytes[0] + 8, "beside the numbers themselves, nothing grows"


def test_an_answer_does_not_change_when_the_tracker_goes_on() -> None:
    tracker = make_tracker()
    first = tracker.update(seen(HERE), 0.0)
    before = first.xyxy.copy()
    tracker.update(seen((110, 100, 150, 200)), FRAME_S)
    assert first.xyxy.tolist() == before.tolist()
    assert first.state.tolist() == [TrackState.CONFIRMED]


@pytest.mark.parametrize(
    "wrong",
    [
        {"low_confidence": 0.7},
        {"high_confidence": 1.5},
        {"match_cost_max": 0.0},
        {"match_cost_max": 1.1},
        {"lost_after_s": -1.0},
        {"lost_after_s": float("nan")},
        {"nominal_frame_s": 0.0},
    ],
)
def test_a_number_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        make_tracker(**wrong)


def test_detections_of_other_number_types_are_taken() -> None:
    one = seen(HERE)
    wide = Detections(one.xyxy.astype(np.float64), one.confidence.astype(np.float64), one.class_id.astype(np.int64))
    tracker = make_tracker(class_group=class_groups(["person", "car"]))
    tracker.update(wide, 0.0)
    tracks = tracker.update(wide, 0.1)
    assert [column.dtype for column in (tracks.xyxy, tracks.confidence, tracks.class_id)] == [
        np.float32,
        np.float32,
        np.int32,
    ]
    assert len(tracks) == 1


@pytest.mark.slow
def test_a_million_tracks_that_are_gone_leave_nothing_behind() -> None:
    tracker, nothing = make_tracker(), Detections.empty()
    batch = 250
    left = np.arange(batch, dtype=np.float32) * 60
    boxes = Detections(
        np.stack([left, np.zeros(batch), left + 20, np.full(batch, 40.0)], axis=1).astype(np.float32),
        np.full(batch, 0.9, np.float32),
        np.zeros(batch, np.int32),
    )

    def held() -> int:
        arrays = [tracker._records.track_id, tracker._motion.mean, tracker._motion.covariance]
        return sum(array.size for array in arrays) + len(vars(tracker))

    at, empty = 0.0, held()
    for _ in range(4000):
        tracks = tracker.update(boxes, at)
        at += 100.0
        tracker.update(nothing, at)
    assert int(tracks.track_id.max(initial=0)) >= 1_000_000 - batch
    at += 100.0
    tracker.update(nothing, at)
    assert held() == empty, "what an update works on is what is alive"
