"""Scenes of 80 x 60 cells: what is motion, and what is weather."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.scheduling.motion import Motion

Picture = npt.NDArray[np.float64]
Luma = npt.NDArray[np.uint8]
ROWS, COLUMNS = 60, 80
FPS = 15


def wall(seed: int = 1) -> Picture:
    """A still scene with light and dark in it."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 180, (ROWS // 10, COLUMNS // 10))
    scene: Picture = np.kron(coarse, np.ones((10, 10))).astype(np.float64)
    return scene


def camera(scene: Callable[[int], Picture], *, frames: int, sigma: float = 0.8, seed: int = 0) -> Iterator[Luma]:
    """Frames of a scene, with the noise that is left of a sensor's after eight by eight pixels were averaged."""
    rng = np.random.default_rng(seed)
    for seq in range(frames):
        picture = scene(seq) + rng.normal(0, sigma, (ROWS, COLUMNS))
        yield np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def stirred(motion: Motion, frames: Iterator[Luma], *, looks: bool = False) -> list[bool]:
    """For each frame, whether anything has changed since the first, or since the last that had when `looks`."""
    answers = []
    for seq, luma in enumerate(frames):
        motion.see(luma, seq / FPS)
        answers.append(bool(motion.changed.any()))
        if seq == 0 or (looks and answers[-1]):
            motion.looked()
    return answers


def with_box(picture: Picture, left: int, top: int, *, grey: float = 30) -> Picture:
    """Somebody of four by eight cells, 32 x 64 pixels of 640 x 480."""
    picture = picture.copy()
    picture[top : top + 8, left : left + 4] += grey
    return picture


@pytest.mark.parametrize("sigma", [0.0, 0.5, 1.0, 1.5])
def test_a_sensors_noise_is_no_motion_for_a_minute(sigma: float) -> None:
    still = wall()
    assert not any(stirred(Motion(), camera(lambda seq: still, frames=60 * FPS, sigma=sigma)))


@pytest.mark.parametrize("grey", [-40, -15, 15, 40])
def test_somebody_who_comes_is_noticed_within_three_frames(grey: float) -> None:
    still = wall()
    answers = stirred(Motion(), camera(lambda seq: with_box(still, 10, 20, grey=grey if seq >= 50 else 0), frames=80))
    assert not any(answers[:50])
    assert any(answers[50:53])
    assert all(answers[53:]), "what is there stays changed until somebody looks"


def test_what_was_looked_at_is_no_change_any_more() -> None:
    still, motion = wall(), Motion()
    answers = stirred(
        motion, camera(lambda seq: with_box(still, 10, 20, grey=40 if seq >= 5 else 0), frames=60), looks=True
    )
    assert sum(answers) <= 8  # the picture is smoothed over some frames
    assert not any(answers[25:])


@settings(max_examples=10, deadline=None)
@given(gain=st.floats(0.6, 1.4), offset=st.floats(-30, 30), over=st.integers(1, 60))
def test_a_change_of_light_or_exposure_is_no_motion(gain: float, offset: float, over: int) -> None:
    still = wall() * 0.5 + 40

    def scene(seq: int) -> Picture:
        done = min(max(seq - 20, 0) / over, 1)
        return still * (1 + (gain - 1) * done) + offset * done

    assert not any(stirred(Motion(), camera(scene, frames=120)))


def test_somebody_who_comes_while_the_light_changes_is_noticed() -> None:
    still = wall() * 0.7 + 20

    def scene(seq: int) -> Picture:
        return with_box(still, 10, 20, grey=40 if seq >= 30 else 0) * (1.3 if seq >= 30 else 1)

    answers = stirred(Motion(), camera(scene, frames=60))
    assert not any(answers[:30])
    assert any(answers[30:34])


def test_infrared_light_that_is_switched_on_is_one_change_and_no_storm() -> None:
    day, night = wall(1), wall(2)
    answers = stirred(Motion(), camera(lambda seq: day if seq < 50 else night, frames=200), looks=True)
    assert not any(answers[:50])
    assert answers[50]
    assert sum(answers) <= 3


def test_rain_is_no_motion_once_it_has_rained_a_while() -> None:
    still, rng = wall(), np.random.default_rng(5)

    def scene(seq: int) -> Picture:
        picture: Picture = still.copy()
        for x, y in zip(rng.integers(0, COLUMNS, 12), rng.integers(0, ROWS - 4, 12), strict=True):
            picture[y : y + 4, x] += 12  # a streak, a sixth of a cell wide, 70 grey levels brighter
        return picture

    answers = stirred(Motion(), camera(scene, frames=40 * FPS), looks=True)
    assert sum(answers[20 * FPS :]) <= 0.05 * 20 * FPS


def test_a_tree_in_the_wind_becomes_usual_and_somebody_in_front_of_it_does_not() -> None:
    still, rng = wall(), np.random.default_rng(6)

    def scene(seq: int) -> Picture:
        picture: Picture = still.copy()
        picture[0:20, 50:70] += 10 * np.sin(seq / 3 + rng.uniform(0, 6, (20, 20)))
        return with_box(picture, 55, 8, grey=90) if seq >= 40 * FPS else picture

    answers = stirred(Motion(), camera(scene, frames=41 * FPS), looks=True)
    assert sum(answers[20 * FPS : 40 * FPS]) <= 0.05 * 20 * FPS
    assert any(answers[40 * FPS : 40 * FPS + 5])


def test_traffic_does_not_become_usual_however_long_it_passes() -> None:
    still = wall()

    def scene(seq: int) -> Picture:
        picture = still  # a car of four cells every 24, so each cell is covered for a sixth of the time
        for left in range(-24, COLUMNS, 24):
            place = left + seq // 2 % 24
            if 0 <= place <= COLUMNS - 4:
                picture = with_box(picture, place, 20, grey=12)
        return picture

    answers = stirred(Motion(), camera(scene, frames=120 * FPS))
    assert sum(answers[100 * FPS :]) >= 0.9 * 20 * FPS


def test_where_somebody_is_followed_motion_becomes_usual_later_but_does() -> None:
    still, nobody = wall(), np.empty((0, 4), np.float32)
    phase = np.random.default_rng(6).uniform(0, 6, (20, 20))

    def tree(seq: int) -> Picture:
        picture: Picture = still.copy()
        picture[0:20, 50:70] += 10 * np.sin(seq / 3 + phase)
        return picture

    def news(followed: npt.NDArray[np.float32]) -> list[bool]:
        motion, answers = Motion(), []
        for seq, luma in enumerate(camera(tree, frames=120 * FPS)):
            motion.see(luma, seq / FPS, followed)
            answers.append(bool(motion.changed.any()))
            if answers[-1]:
                motion.looked()
        return answers

    before_it = news(np.array([[0.6, 0.0, 0.9, 0.4]], np.float32))
    assert sum(before_it) >= 2 * sum(news(nobody))
    assert sum(before_it[90 * FPS :]) <= 0.05 * 30 * FPS


def test_motion_in_an_area_to_ignore_does_not_count_and_beside_it_does() -> None:
    still, motion = wall(), Motion([[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]])
    nobody = np.empty((0, 4), np.float32)
    for seq, left in enumerate([60, 10, 60]):
        for luma in camera(lambda _, left=left: with_box(still, left, 20, grey=60), frames=30, seed=seq):  # type: ignore[misc]
            motion.see(luma, seq * 30 / FPS)
        outside = motion.outside(motion.cells_of(nobody, 640, 480, margin=0))
        motion.looked()
        assert not outside[:, :40].any()
    assert outside[:, 40:].any()


def test_what_moves_in_a_box_is_explained_by_it() -> None:
    still, motion = wall(), Motion()
    stirred(motion, camera(lambda seq: with_box(still, 10, 20, grey=60 if seq > 5 else 0), frames=20))
    around = np.array([[80, 160, 112, 224]], np.float32)
    assert motion.outside(motion.cells_of(around + 200, 640, 480, margin=0.25)).any()
    assert not motion.outside(motion.cells_of(around, 640, 480, margin=0.25)).any()


@settings(max_examples=50, deadline=None)
@given(
    xyxy=st.lists(st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 4), max_size=5),
    size=st.tuples(st.integers(1, 400), st.integers(1, 400)),
)
def test_any_boxes_and_any_size_of_picture_are_taken(
    xyxy: list[tuple[float, float, float, float]], size: tuple[int, int]
) -> None:
    motion = Motion()
    for at in (0.0, 0.1, 0.1):
        motion.see(np.full(size, 90, np.uint8), at)
        motion.looked()
        cells = motion.cells_of(np.array(xyxy, np.float32).reshape(-1, 4), 640, 480, margin=0.25)
        assert motion.outside(cells).shape == motion.changed.shape
        assert not motion.changed.any()
