from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.frame import BgrImage
from edged.domain.tracks import Tracks, TrackState
from edged.imaging.annotate import Annotator, draw_text, track_colour
from tests.unit.imaging.scenes import grey, one_track


def painted(before: BgrImage, after: BgrImage) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray((before != after).any(axis=2))


def test_the_frame_itself_stays_clean() -> None:
    image = grey()
    drawn = Annotator(["person"]).draw(image, one_track(), header="front door")
    assert np.array_equal(image, grey())
    assert painted(image, drawn).any()


def test_a_box_is_drawn_along_its_edge_and_not_inside() -> None:
    marks = painted(grey(), Annotator(["person"]).draw(grey(), one_track()))
    assert marks[150, 100]
    assert marks[150, 139]
    assert marks[199, 120]
    assert not marks[110:190, 105:135].any()


def test_the_name_stands_above_the_box() -> None:
    marks = painted(grey(), Annotator(["person"]).draw(grey(), one_track()))
    assert marks[90:98, 100:150].all()


def test_the_name_of_a_box_at_the_top_stays_in_the_picture() -> None:
    marks = painted(grey(), Annotator(["person"]).draw(grey(), one_track(xyxy=(300, 0, 320, 50))))
    assert marks[2:8, 290:318].all()


def test_a_header_is_drawn_at_the_top_left() -> None:
    plain = Annotator([]).draw(grey(), Tracks.empty(0.0))
    assert np.array_equal(plain, grey())
    marks = painted(grey(), Annotator([]).draw(grey(), Tracks.empty(0.0), header="front door"))
    assert marks[:8, :8].all()
    assert not marks[100:].any()


def test_a_track_leaves_a_trail_that_fades_away() -> None:
    annotator = Annotator(["person"], trail_s=2.0)
    for step in range(11):
        left = 10.0 + 20 * step
        drawn = annotator.draw(grey(), one_track(at=step / 10, xyxy=(left, 100, left + 20, 200)))
    assert painted(grey(), drawn)[195:205, 100].any()
    later = painted(grey(), annotator.draw(grey(), Tracks.empty(2.5)))
    assert not later[195:205, 40].any()
    assert later[195:205, 200].any()
    assert not painted(grey(), annotator.draw(grey(), Tracks.empty(9.0))).any()


def test_forgotten_tracks_take_no_memory() -> None:
    annotator = Annotator(["person"], trail_s=1.0)
    for track_id in range(200):
        annotator.draw(grey(20, 20), one_track(at=float(track_id), track_id=track_id))
    assert len(annotator._trails) <= 2


def test_a_lost_track_has_no_name_and_a_tentative_one_is_not_drawn() -> None:
    lost = painted(grey(), Annotator(["person"]).draw(grey(), one_track(state=TrackState.LOST)))
    assert lost[150, 100]
    assert not lost[80:95].any()
    tentative = Annotator(["person"]).draw(grey(), one_track(state=TrackState.TENTATIVE))
    assert np.array_equal(tentative, grey())


def test_a_colour_belongs_to_its_track_and_neighbours_differ() -> None:
    assert track_colour(7) == track_colour(7)
    colours = [track_colour(track_id) for track_id in range(1, 9)]
    for a, b in itertools.combinations(colours, 2):
        assert sum(abs(x - y) for x, y in zip(a, b, strict=True)) > 30


def test_a_class_without_a_label_is_named_by_its_number() -> None:
    assert painted(grey(), Annotator([]).draw(grey(), one_track(class_id=5))).any()


@pytest.mark.parametrize("size", [(1, 1), (4097, 33), (16, 12), (1920, 1080)])
def test_frames_of_any_size_can_be_drawn_on(size: tuple[int, int]) -> None:
    drawn = Annotator(["person"]).draw(grey(*size), one_track(), header="front door — Straße")
    assert drawn.shape == grey(*size).shape


@given(st.tuples(*[st.floats(-1e9, 1e9, width=32) for _ in range(4)]))
def test_boxes_far_outside_do_no_harm(xyxy: tuple[float, float, float, float]) -> None:
    Annotator(["person"]).draw(grey(64, 48), one_track(xyxy=xyxy))


def test_letters_that_the_font_lacks_do_no_harm() -> None:
    canvas = grey()
    draw_text(canvas, "näher 東京", (0, 0), colour=(255, 255, 255), background=(0, 0, 0))
    assert painted(grey(), canvas).any()
