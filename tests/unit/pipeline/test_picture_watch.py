"""When a picture counts as frozen or blank, and when it never does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.domain.events import CameraEvent, EventKind
from edged.domain.frame import BgrImage
from edged.pipeline.picture_watch import PictureWatch

FROZEN, BLANK, DAMAGED = EventKind.PICTURE_FROZEN, EventKind.PICTURE_BLANK, EventKind.PICTURE_DAMAGED
OK = EventKind.PICTURE_OK
FPS = 5
SIZE = (120, 160)


def shown(pictures: Iterable[BgrImage], *, fps: float = FPS, watch: PictureWatch | None = None) -> list[CameraEvent]:
    """What is told while these pictures come, from the instant 0 on."""
    watch = watch or PictureWatch("yard")
    return [event for seq, picture in enumerate(pictures) for event in watch.look(picture, seq / fps)]


def a_scene(seed: int = 0) -> BgrImage:
    """Patches of many colours."""
    patches = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.kron(patches, np.ones((SIZE[0] // 6, SIZE[1] // 8, 1), np.uint8))


def evenly(grey: int) -> BgrImage:
    return np.full((*SIZE, 3), grey, np.uint8)


def noisy(picture: BgrImage, sigma: float, *, seed: int = 1) -> Iterator[BgrImage]:
    """The picture as a sensor gives it, for ever."""
    dice = np.random.default_rng(seed)
    while True:
        off = dice.normal(0, sigma, picture.shape)
        yield np.clip(np.round(picture + off), 0, 255).astype(np.uint8)


def for_s(seconds: float, pictures: Iterable[BgrImage]) -> Iterator[BgrImage]:
    return islice(pictures, round(seconds * FPS))


def test_a_picture_that_stands_still_to_the_last_bit_is_frozen_after_ten_seconds() -> None:
    watch, picture = PictureWatch("yard"), a_scene()
    assert shown(repeat(picture, 10 * FPS), watch=watch) == []
    assert watch.state == "ok"
    (event,) = watch.look(picture, 10.0)

    assert (event.kind, event.camera, event.reason) == (FROZEN, "yard", "frozen")
    assert (event.at, event.duration_s) == (0.0, 0.0)  # it was so from the first picture on
    assert event.detail is not None
    assert watch.state == "frozen"


def test_a_picture_that_lives_again_is_told_once_with_how_long_it_stood_still() -> None:
    living = noisy(a_scene(), 2)
    pictures = chain(for_s(5, living), repeat(a_scene(), 40 * FPS), for_s(20, living))
    frozen, ok = shown(pictures)

    assert (frozen.kind, frozen.at) == (FROZEN, 5.0)
    assert (ok.kind, ok.at, ok.duration_s, ok.reason, ok.detail) == (OK, 45.0, 40.0, "frozen", None)


@pytest.mark.parametrize("grey", [0, 16, 128, 255])
def test_a_picture_of_one_colour_is_blank_even_with_a_little_noise(grey: int) -> None:
    living = noisy(a_scene(), 2)
    blank, ok = shown(chain(for_s(5, living), for_s(30, noisy(evenly(grey), 1)), for_s(10, living)))

    assert (blank.kind, blank.at, blank.reason) == (BLANK, 5.0, "blank")
    assert (ok.kind, ok.at, ok.duration_s, ok.reason) == (OK, 35.0, 30.0, "blank")


def test_a_picture_that_is_both_frozen_and_of_one_colour_is_blank() -> None:
    assert [event.kind for event in shown(repeat(evenly(0), 60 * FPS))] == [BLANK]


def test_a_few_broken_pixels_do_not_hide_a_blank_picture() -> None:
    picture = evenly(3)
    picture[5, 7] = picture[50, 100] = 255
    assert [event.kind for event in shown(for_s(20, noisy(picture, 1)))] == [BLANK]


def test_a_lamp_in_the_dark_is_something_to_see() -> None:
    picture = evenly(0)
    picture[40:52, 60:72] = 200  # less than a hundredth of the picture
    assert shown(for_s(60, noisy(picture, 1))) == []


def test_a_pause_or_a_flicker_shorter_than_ten_seconds_is_nothing() -> None:
    living = noisy(a_scene(), 2)
    still = [for_s(9, repeat(a_scene(seed))) for seed in range(5)]
    dark = [for_s(9, repeat(evenly(0))) for _ in range(5)]
    pieces = [piece for pair in zip(still, dark, strict=True) for piece in (pair[0], for_s(2, living), pair[1])]
    assert shown(chain.from_iterable([*pieces])) == []


def test_a_camera_that_thaws_for_moments_is_one_trouble() -> None:
    living = noisy(a_scene(), 2)
    pieces = [piece for _ in range(10) for piece in (for_s(12, repeat(a_scene())), for_s(2, living))]
    events = shown(chain(*pieces, for_s(10, living)))

    assert [event.kind for event in events] == [FROZEN, OK]


def test_a_frozen_picture_that_goes_black_is_one_trouble_until_it_is_over() -> None:
    pieces = (for_s(20, repeat(a_scene())), for_s(20, repeat(evenly(0))), for_s(10, noisy(a_scene(), 2)))
    frozen, ok = shown(chain(*pieces))

    assert (frozen.kind, ok.kind, ok.reason, ok.duration_s) == (FROZEN, OK, "frozen", 40.0)


def test_what_nobody_saw_counts_for_nothing() -> None:
    watch, picture = PictureWatch("yard"), a_scene()
    assert shown(repeat(picture, 8 * FPS), watch=watch) == []
    watch.lose_sight()
    told_at = [at for at in np.arange(60.0, 80.0, 0.2) if watch.look(picture, float(at))]  # an outage lay in between
    assert told_at == [pytest.approx(70.0)]


def test_a_detector_that_runs_seldom_finds_it_a_little_later() -> None:
    assert [event.at for event in shown(repeat(a_scene(), 6), fps=1 / 8)] == [0.0]
    assert shown(repeat(a_scene(), 4), fps=1 / 8) == []
    assert [event.kind for event in shown(repeat(a_scene(), 6), fps=1 / 33)] == [FROZEN]
    assert [event.kind for event in shown(repeat(evenly(0), 6), fps=1 / 33)] == [BLANK]


def damaged(watch: PictureWatch, begin: float, end: float) -> list[CameraEvent]:
    """What is told while nothing but damaged pictures come, ten a second."""
    return [event for at in np.arange(begin, end, 0.1) for event in watch.damaged(float(at))]


def test_ten_seconds_of_nothing_but_damaged_pictures_are_told_and_so_is_their_end() -> None:
    watch = PictureWatch("yard")
    (event,) = damaged(watch, 0, 60)
    assert (event.kind, event.at, event.reason, watch.state) == (DAMAGED, 0.0, "damaged", "damaged")
    (over,) = (event for seq in range(40) for event in watch.look(a_scene(seq), 60 + seq / FPS))
    assert (over.kind, over.at, over.duration_s, over.reason) == (OK, 60.0, 60.0, "damaged")
    assert watch.state == "ok"


def test_a_damaged_picture_among_sound_ones_is_nothing() -> None:
    watch = PictureWatch("yard")
    for second in range(60):
        assert damaged(watch, second, second + 0.9) == []
        assert not watch.look(a_scene(second), second + 0.95)


def test_damage_before_and_after_an_outage_is_not_one_run() -> None:
    watch = PictureWatch("yard")
    assert damaged(watch, 0, 8) == []
    watch.lose_sight()
    (event,) = damaged(watch, 100, 120)
    assert event.at == 100.0


def test_a_picture_that_was_the_same_before_and_after_much_damage_need_not_be_frozen() -> None:
    watch, picture = PictureWatch("yard"), a_scene()
    assert shown(repeat(picture, 8 * FPS), watch=watch) == []
    assert damaged(watch, 8, 16) == []
    assert not any(watch.look(picture, float(at)) for at in np.arange(16, 25, 0.2))


def test_a_frozen_picture_with_a_damaged_one_now_and_then_is_frozen_and_thaws() -> None:
    watch, events = PictureWatch("yard"), list[CameraEvent]()
    living = noisy(a_scene(), 2)
    for seq in range(40 * FPS):
        at = seq / FPS
        events += watch.damaged(at) if seq % FPS == 0 else watch.look(a_scene() if at < 20 else next(living), at)
    assert [event.kind for event in events] == [FROZEN, OK]


def test_frames_that_nobody_decoded_are_passed_over() -> None:
    watch = PictureWatch("yard")
    assert not any(watch.look(None, at / 10) for at in range(1000))
    assert watch.state == "ok"


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (480, 640), (719, 1281)])
def test_pictures_of_any_size_are_watched(size: tuple[int, int]) -> None:
    assert [event.kind for event in shown(repeat(np.zeros((*size, 3), np.uint8), 60))] == [BLANK]


def test_a_picture_of_another_size_is_another_picture() -> None:
    large, small = a_scene(), a_scene()[::2, ::2]
    assert shown(chain.from_iterable(for_s(1, repeat((large, small)[turn % 2])) for turn in range(60))) == []


@settings(max_examples=40, deadline=None)
@given(sigma=st.floats(0.5, 30), seed=st.integers(0, 2**32 - 1))
def test_a_noisy_scene_never_triggers(sigma: float, seed: int) -> None:
    assert shown(islice(noisy(a_scene(seed), sigma, seed=seed), 30), fps=1) == []


@settings(max_examples=40, deadline=None)
@given(mean=st.integers(0, 30), sigma=st.floats(5, 20), seed=st.integers(0, 2**32 - 1))
def test_a_dark_night_full_of_noise_never_triggers(mean: int, sigma: float, seed: int) -> None:
    assert shown(islice(noisy(evenly(mean), sigma, seed=seed), 30), fps=1) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["living", "still", "dark"]), max_size=80))
def test_troubles_begin_and_end_in_turn_and_no_oftener_than_they_can(seconds: list[str]) -> None:
    living = noisy(a_scene(), 2)
    pieces = {"living": living, "still": repeat(a_scene()), "dark": repeat(evenly(0))}
    events = shown(chain.from_iterable(for_s(1, pieces[second]) for second in seconds))

    kinds = [event.kind is OK for event in events]
    assert kinds == [bool(number % 2) for number in range(len(events))]
    assert len(events) <= 2 * (len(seconds) // 13 + 1)
    assert all(event.duration_s >= 10 for event in events if event.kind is OK)
    assert [event.at for event in events] == sorted(event.at for event in events)
