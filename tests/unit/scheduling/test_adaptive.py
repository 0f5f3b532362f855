from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from edged.domain.frame import Frame
from edged.domain.tracks import Tracks, TrackState
from edged.errors import FrameCorrupt
from edged.scheduling.adaptive import Adaptive
from edged.scheduling.motion import Motion
from tests.tracks import Box, tracks_of
from tests.unit.scheduling.parts import HEIGHT_PX, WIDTH_PX, ask, dark, frame_of

FPS = 15
Scene = Callable[[int], npt.NDArray[np.float64]]


def wall(_: int = 0) -> npt.NDArray[np.float64]:
    return np.full((HEIGHT_PX // 8, WIDTH_PX // 8), 90.0)


def with_box(box: Box, grey: float = 40.0) -> npt.NDArray[np.float64]:
    picture = wall()
    left, top, right, bottom = (round(edge / 8) for edge in box)
    picture[top:bottom, left:right] += grey
    return picture


def watch(
    policy: Adaptive,
    scene: Scene,
    *,
    frames: int,
    tracks: Callable[[int], Tracks] | None = None,
    due: Callable[[int], bool] = lambda seq: False,
    first: int = 0,
    found: Callable[[int], Tracks] | None = None,
) -> list[int]:
    """Play a scene and say which frames were looked at; a look finds what was expected, or else what `found` says."""
    rng, looks = np.random.default_rng(0), []
    for seq in range(first, first + frames):
        luma = np.clip(np.rint(scene(seq) + rng.normal(0, 0.8, (HEIGHT_PX // 8, WIDTH_PX // 8))), 0, 255)
        expected = Tracks.empty(seq / FPS) if tracks is None else tracks(seq)
        if ask(policy, expected, frame_of(luma.astype(np.uint8), seq), due=due(seq)) >= 1:
            policy.looked(expected if found is None else found(seq))
            looks.append(seq)
    return looks


def walker(seq: int) -> Box:
    return (50 + 4.0 * seq, 100, 90 + 4.0 * seq, 220)


def test_an_empty_scene_is_looked_at_once_in_five_seconds() -> None:
    looks = watch(Adaptive(Motion()), wall, frames=60 * FPS)
    assert looks[0] == 0
    assert 11 <= len(looks) <= 13
    assert len(looks) < 0.05 * 60 * FPS


def test_somebody_who_comes_is_looked_at_within_three_tenths_of_a_second() -> None:
    came = 100
    looks = watch(Adaptive(Motion()), lambda seq: wall() if seq < came else with_box(walker(seq - came)), frames=130)
    assert min(seq for seq in looks if seq >= came) <= came + 4


def test_motion_in_which_nothing_is_found_waits_longer_and_longer() -> None:
    looks = watch(Adaptive(Motion()), lambda seq: with_box((300, 200, 400, 300), 60.0 * (seq % 7 > 2)), frames=40 * FPS)
    assert len([seq for seq in looks if seq >= 20 * FPS]) <= 3 * 20, "at most three looks a second"


def test_a_road_on_which_looks_find_nothing_is_still_looked_at_after_minutes() -> None:
    def car(seq: int) -> npt.NDArray[np.float64]:
        left = 16.0 * (seq % (4 * FPS))  # across in 2.5 s, every 4 s
        return with_box((left, 200, left + 80, 260), 20.0) if left < WIDTH_PX else wall()

    looks = watch(Adaptive(Motion()), car, frames=120 * FPS)
    at_first, at_last = (len([seq for seq in looks if a * FPS <= seq < (a + 20) * FPS]) for a in (0, 100))
    assert at_last >= 0.9 * at_first, (at_first, at_last)


@pytest.mark.parametrize(("state", "looks_a_second"), [(TrackState.TENTATIVE, 7), (TrackState.CONFIRMED, 2)])
def test_motion_in_which_somebody_new_is_found_waits_no_longer_since_whenever_they_count(
    state: TrackState, looks_a_second: int
) -> None:
    def found(seq: int) -> Tracks:
        return tracks_of(seq / FPS, {seq: walker(seq)}, state=state, started_at=seq / FPS - 0.5)

    looks = watch(Adaptive(Motion()), lambda seq: with_box(walker(seq)), frames=9 * FPS, found=found)
    assert len([seq for seq in looks if seq >= 4 * FPS]) // 5 == looks_a_second


def waits_for_a_newcomer(policy: Adaptive, *, moved_px: float, met: int) -> float:
    """Seconds until a tentative track is looked at again, once so many of them were seen to move so far in 0.1 s."""
    box: Box = (200.0, 100.0, 240.0, 220.0)
    moved: Box = (box[0] + moved_px, box[1], box[2] + moved_px, box[3])
    seq = 0
    ask(policy, Tracks.empty(-0.1), dark(0))
    policy.looked(Tracks.empty(-0.1))
    for name in range(met):
        at = name / 10
        ask(policy, tracks_of(at, {name: box}, state=TrackState.TENTATIVE), dark(0))
        policy.looked(tracks_of(at, {name: moved}, started_at=at - 0.1))
    start = met / 10
    ask(policy, Tracks.empty(start), dark(0))
    policy.looked(tracks_of(start, {99: box}, state=TrackState.TENTATIVE, started_at=start))
    while True:
        seq += 1
        at = start + seq / 100
        if ask(policy, tracks_of(at, {99: box}, state=TrackState.TENTATIVE), dark(0)) >= 1:
            return at - start


def test_a_newcomer_is_looked_at_again_the_sooner_the_faster_newcomers_have_been() -> None:
    unknown = waits_for_a_newcomer(Adaptive(None), moved_px=0.0, met=0)
    runners = waits_for_a_newcomer(Adaptive(None), moved_px=15.0, met=40)
    cars = waits_for_a_newcomer(Adaptive(None), moved_px=80.0, met=40)
    assert cars <= unknown <= runners
    assert cars <= 0.03
    assert unknown <= 0.05
    assert runners <= 0.07


def test_where_newcomers_walk_the_look_that_is_due_anyway_is_soon_enough() -> None:
    assert waits_for_a_newcomer(Adaptive(None), moved_px=2.0, met=40) == pytest.approx(0.2)


def test_the_first_newcomer_already_tells_walkers_from_cars() -> None:
    assert waits_for_a_newcomer(Adaptive(None), moved_px=2.0, met=1) == pytest.approx(0.2)
    assert waits_for_a_newcomer(Adaptive(None), moved_px=80.0, met=1) <= 0.03


def test_a_rule_that_waits_for_a_look_gets_it() -> None:
    looks = watch(Adaptive(Motion()), wall, frames=40, due=lambda seq: seq == 30)
    assert looks == [0, 30]


def test_somebody_who_stands_still_is_looked_at_once_a_second() -> None:
    box = (200.0, 100.0, 240.0, 220.0)
    looks = watch(
        Adaptive(Motion()),
        lambda seq: with_box(box),
        frames=20 * FPS,
        tracks=lambda seq: tracks_of(seq / FPS, {1: box}),
    )
    assert 18 <= len(looks) <= 22


def test_until_motion_can_be_told_who_is_followed_counts_as_moving() -> None:
    looks = watch(Adaptive(Motion()), wall, frames=FPS, tracks=lambda seq: tracks_of(seq / FPS, {1: walker(seq)}))
    assert looks == [0, FPS // 5], "then two thumbnails in a row were like the first"


def test_who_walks_as_predicted_is_looked_at_less_often_than_who_does_not() -> None:
    def looks(off_px: float) -> int:
        policy, rng, count = Adaptive(Motion()), np.random.default_rng(1), 0
        for seq in range(10 * 30):
            expected = tracks_of(seq / 30, {1: walker(seq)})
            picture = np.clip(with_box(walker(seq)), 0, 255).astype(np.uint8)
            if ask(policy, expected, frame_of(picture, seq)) >= 1:
                count += 1
                off = rng.normal(0, off_px)
                left, top, right, bottom = walker(seq)
                policy.looked(tracks_of(seq / 30, {1: (left + off, top, right + off, bottom)}))
        return count

    assert looks(0.0) <= 0.2 * 300
    assert looks(0.0) <= looks(8.0) < looks(60.0)


def test_rain_in_torrents_makes_no_storm_of_looks() -> None:
    rng = np.random.default_rng(5)

    def scene(seq: int) -> npt.NDArray[np.float64]:
        picture = wall()
        for x, y in zip(rng.integers(0, 80, 40), rng.integers(0, 56, 40), strict=True):
            picture[y : y + 4, x] += 12
        return picture

    looks = watch(Adaptive(Motion()), scene, frames=60 * FPS)
    assert len([seq for seq in looks if seq >= 30 * FPS]) <= 0.2 * 30 * FPS


def test_a_camera_that_turns_all_the_time_is_looked_at_a_few_times_a_second() -> None:
    rng = np.random.default_rng(7)
    looks = watch(Adaptive(Motion()), lambda seq: rng.uniform(0, 255, (HEIGHT_PX // 8, WIDTH_PX // 8)), frames=20 * FPS)
    assert 20 <= len(looks) <= 20 * 4


def test_without_pixels_an_empty_scene_is_looked_at_as_if_something_moved() -> None:
    looks = watch(Adaptive(None), wall, frames=10 * FPS)
    assert 20 <= len(looks) <= 30


def glances(scene: Scene, *, frames: int, tracks: Callable[[int], Tracks] | None = None) -> list[int]:
    """Play a scene and say of which frames a thumbnail was asked for."""
    policy, seen = Adaptive(Motion()), []
    for seq in range(frames):

        def luma(seq: int = seq) -> npt.NDArray[np.uint8]:
            seen.append(seq)
            return scene(seq).astype(np.uint8)

        expected = Tracks.empty(seq / FPS) if tracks is None else tracks(seq)
        frame = Frame(seq=seq, captured_at=seq / FPS, width_px=640, height_px=480, decode=luma, decode_luma=luma)
        if ask(policy, expected, frame) >= 1:
            policy.looked(expected)
    return seen


def test_a_still_and_empty_scene_is_glanced_at_five_times_a_second() -> None:
    assert len(glances(wall, frames=20 * FPS)) == pytest.approx(20 * 5, abs=2)


def test_where_somebody_is_followed_a_still_scene_is_glanced_at_more_often() -> None:
    box = (200.0, 100.0, 240.0, 220.0)
    seen = glances(lambda seq: with_box(box), frames=20 * FPS, tracks=lambda seq: tracks_of(seq / FPS, {1: box}))
    assert len(seen) >= 20 * 7


@pytest.mark.parametrize("came", [30, 31, 32])
def test_the_first_sign_of_somebody_is_followed_by_a_glance_at_once(came: int) -> None:
    seen = glances(lambda seq: wall() if seq < came else with_box(walker(seq)), frames=45)
    first, second = [seq for seq in seen if seq >= came][:2]
    assert first <= came + 2
    assert second == first + 2, "a tenth of a second is two frames"


def test_a_frame_that_cannot_be_glanced_at_is_left_to_the_detector() -> None:
    def damaged() -> npt.NDArray[np.uint8]:
        raise FrameCorrupt("half of it is missing", hint="Check the cable.")

    policy = Adaptive(Motion())
    watch(policy, wall, frames=3)
    broken = Frame(seq=3, captured_at=0.3, width_px=640, height_px=480, decode=damaged, decode_luma=damaged)
    assert ask(policy, Tracks.empty(0.3), broken) >= 1


def test_a_picture_that_changes_its_size_while_something_moves_is_watched_on() -> None:
    policy, small, looks = Adaptive(Motion()), np.full((30, 40), 90, np.uint8), 0
    watch(policy, lambda seq: with_box(walker(seq)), frames=FPS)
    for seq in range(FPS, 2 * FPS):
        if ask(policy, Tracks.empty(seq / FPS), frame_of(small, seq), due=True) >= 1:
            policy.looked(Tracks.empty(seq / FPS))
            looks += 1
    assert looks == 5


def test_a_need_that_is_not_met_grows() -> None:
    policy = Adaptive(Motion())
    watch(policy, wall, frames=5)
    needs = [ask(policy, Tracks.empty(seq / FPS), frame_of(wall().astype(np.uint8)), due=True) for seq in range(8, 20)]
    assert needs == sorted(needs)
    assert needs[-1] > 5
