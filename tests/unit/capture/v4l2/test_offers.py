from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.capture.formats import SUPPORTED
from edged.capture.v4l2.mode import WantedMode
from edged.capture.v4l2.offers import Offer, SizeRange, choose

USB2 = [  # what a webcam's bus has room for
    Offer("YUYV", 640, 480, 30),
    Offer("YUYV", 1280, 720, 10),
    Offer("YUYV", 1920, 1080, 5),
    Offer("MJPG", 640, 480, 30),
    Offer("MJPG", 1280, 720, 30),
    Offer("MJPG", 1920, 1080, 30),
]

fourccs = st.sampled_from([*SUPPORTED, "H264", "RGB3"])
sides = st.integers(16, 4096)
rates = st.none() | st.floats(1, 240)
lists_of_offers = st.lists(st.builds(Offer, fourccs, sides, sides, rates), max_size=12)
wishes = st.builds(WantedMode, st.none(), st.none() | sides, st.none() | sides, st.none() | st.floats(1, 240))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (WantedMode(), ("YUYV", 640, 480)),
        (WantedMode(width_px=1280, height_px=720), ("MJPG", 1280, 720)),  # raw is too slow
        (WantedMode(width_px=1280, height_px=720, fps=10), ("YUYV", 1280, 720)),  # and here it is not
        (WantedMode(width_px=1900), ("MJPG", 1920, 1080)),
        (WantedMode(width_px=320, height_px=240), ("YUYV", 640, 480)),
        (WantedMode("MJPG"), ("MJPG", 640, 480)),
        (WantedMode(width_px=4000, height_px=3000, fps=5), ("YUYV", 1920, 1080)),  # the largest there is
    ],
)
def test_the_cheapest_mode_that_fits_is_chosen(wanted: WantedMode, expected: tuple[str, int, int]) -> None:
    best = choose(USB2, wanted)
    assert best is not None
    assert (best.fourcc, best.width_px, best.height_px) == expected


def test_colours_are_worth_more_than_any_cost() -> None:
    best = choose([Offer("GREY", 640, 480, 30), Offer("MJPG", 640, 480, 30)], WantedMode())
    assert best is not None
    assert best.fourcc == "MJPG"


def test_a_rate_a_little_lower_does_not_make_it_compressed() -> None:
    best = choose([Offer("MJPG", 640, 480, 30), Offer("NV12", 640, 480, 25)], WantedMode(fps=30))
    assert best is not None
    assert best.fourcc == "NV12"


@given(lists_of_offers, wishes)
def test_something_is_chosen_if_anything_can_be_read(offers: list[Offer], wanted: WantedMode) -> None:
    best = choose(offers, wanted)
    readable = [offer for offer in offers if offer.fourcc in SUPPORTED]
    assert (best in readable) if readable else best is None


@given(lists_of_offers, wishes)
def test_a_size_that_is_too_small_is_chosen_only_where_none_is_large_enough(
    offers: list[Offer], wanted: WantedMode
) -> None:
    width_px, height_px = (
        (640, 480) if not (wanted.width_px or wanted.height_px) else (wanted.width_px, wanted.height_px)
    )
    best = choose(offers, wanted)
    if best is not None and (best.width_px < (width_px or 1) or best.height_px < (height_px or 1)):
        assert not any(
            offer.width_px >= (width_px or 1) and offer.height_px >= (height_px or 1)
            for offer in offers
            if offer.fourcc in SUPPORTED
        )


@given(low=st.integers(16, 500), steps=st.integers(0, 100), step=st.integers(1, 64), wanted=st.integers(1, 5000))
def test_the_nearest_size_of_a_range_is_one_of_it_and_covers_what_is_wanted(
    low: int, steps: int, step: int, wanted: int
) -> None:
    high = low + steps * step
    width_px, height_px = SizeRange(low, high, step, low, high, step).nearest(wanted, wanted)
    assert width_px == height_px
    assert width_px in range(low, high + 1, step)
    assert width_px >= wanted or width_px == high
    assert width_px == low or width_px - step < wanted
