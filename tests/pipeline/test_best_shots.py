from __future__ import annotations

import numpy as np

from edged.domain.events import Box
from edged.domain.frame import BgrImage, Frame
from edged.domain.tracks import TrackState
from edged.pipeline.best_shots import BestShots
from tests.tracks import tracks_of

FRAME = Frame.of(np.zeros((200, 200, 3), np.uint8))


def crop(frame: Frame, box: Box) -> BgrImage:
    return np.full((1, 1, 3), int(box[2] - box[0]), np.uint8)


def shots() -> BestShots:
    """The "JPEG" of a shot is the width of its box."""
    return BestShots(crop=crop, encode=lambda image: b"%d" % image[0, 0, 0])


def test_a_larger_box_is_a_better_shot_and_a_smaller_one_is_not() -> None:
    best = shots()
    for seq, side in enumerate((20, 40, 30)):
        best.offer(tracks_of(seq, {1: (50, 50, 50 + side, 50 + side)}), FRAME)
    assert best.jpeg(1) == b"40"


def test_a_more_confident_sighting_is_a_better_shot() -> None:
    best = shots()
    best.offer(tracks_of(0, {1: (50, 50, 90, 90)}, confidence=0.4), FRAME)
    best.offer(tracks_of(1, {1: (50, 50, 88, 88)}, confidence=0.9), FRAME)
    assert best.jpeg(1) == b"38"


def test_a_whole_object_is_a_better_shot_than_one_cut_off_by_any_edge() -> None:
    for cut in [(0, 50, 40, 90), (50, 0, 90, 40), (160, 50, 200, 90), (50, 160, 90, 200)]:
        best = shots()
        best.offer(tracks_of(0, {1: cut}), FRAME)
        best.offer(tracks_of(1, {1: (50, 50, 80, 80)}), FRAME)
        assert best.jpeg(1) == b"30"


def test_a_shot_that_is_hardly_better_is_not_worth_a_copy() -> None:
    best = shots()
    best.offer(tracks_of(0, {1: (50, 50, 90, 90)}), FRAME)
    best.offer(tracks_of(1, {1: (50, 50, 91, 91)}), FRAME)
    assert best.jpeg(1) == b"40"


def test_only_real_sightings_of_confirmed_tracks_are_taken() -> None:
    best = shots()
    best.offer(tracks_of(5, {1: (50, 50, 90, 90)}, seen_at=4), FRAME)
    best.offer(tracks_of(5, {2: (50, 50, 90, 90)}, state=TrackState.TENTATIVE), FRAME)
    best.offer(tracks_of(5, {3: (50, 50, 90, 90)}, state=TrackState.LOST), FRAME)
    assert [best.jpeg(number) for number in (1, 2, 3)] == [None] * 3


def test_shots_of_tracks_that_nobody_follows_are_forgotten() -> None:
    best = shots()
    best.offer(tracks_of(0, {1: (50, 50, 70, 70), 2: (100, 50, 120, 70)}), FRAME)
    best.keep_only({2: 2, 77: 77})
    assert best.jpeg(1) is None
    assert best.jpeg(2) == b"20"


def test_a_shot_of_nobody_whom_the_same_words_as_before_name_is_forgotten() -> None:
    best = shots()
    best.offer(tracks_of(0, {1: (50, 50, 70, 70)}), FRAME)
    best.keep_only({})
    assert best.jpeg(1) is None


def test_of_two_tracks_that_are_one_object_the_better_shot_stays() -> None:
    for sides in ((20, 40), (40, 20)):
        best = shots()
        for track_id, side in enumerate(sides, start=1):
            best.offer(tracks_of(0, {track_id: (50, 50, 50 + side, 50 + side)}), FRAME)
        best.keep_only({1: 1, 2: 1})
        assert best.jpeg(1) == b"40"
        assert best.jpeg(2) is None


def test_a_track_that_goes_on_under_another_name_needs_to_beat_the_shot_of_that_name() -> None:
    best = shots()
    best.offer(tracks_of(0, {1: (50, 50, 90, 90)}), FRAME)
    best.keep_only({1: 1, 2: 1})
    for side in (30, 60):
        best.offer(tracks_of(1, {2: (50, 50, 50 + side, 50 + side)}), FRAME)
        assert best.jpeg(1) == (b"40" if side == 30 else b"60")
