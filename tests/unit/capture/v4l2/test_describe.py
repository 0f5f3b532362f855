from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edged.capture.v4l2.describe import (
    CameraDescription,
    OfferedFormat,
    OfferedSize,
    describe,
    suited_mode,
)
from edged.capture.v4l2.mode import WantedMode
from edged.capture.v4l2.offers import SizeRange
from edged.errors import SourceDenied, SourceLost, SourceUnreadable
from edged.testing.clock import FakeClock
from edged.testing.v4l2 import FakeKernel
from edged.testing.v4l2_camera import META_CAPTURE, FakeCamera, FakeFormat
from edged.testing.v4l2_controls import BUTTON, MENU, FakeControl

PATH = Path("/dev/video0")


def kernel_of(camera: FakeCamera) -> FakeKernel:
    return FakeKernel({PATH: camera}, clock=FakeClock())


def offers(*modes: tuple[str, int, int, list[float]]) -> CameraDescription:
    """A camera with these formats, sizes and rates."""
    return CameraDescription(
        driver="fake",
        formats=tuple(
            OfferedFormat(fourcc, (OfferedSize(SizeRange.fixed(width, height), tuple(rates)),))
            for fourcc, width, height, rates in modes
        ),
        controls=(),
    )


def suited(camera: CameraDescription, input_px: int = 320) -> WantedMode | None:
    return suited_mode(camera, width_px=input_px, height_px=input_px)


def test_formats_sizes_and_rates_are_listed_in_the_drivers_order() -> None:
    camera = FakeCamera(
        [FakeFormat("YUYV", [(640, 480), (320, 240)], [30, 15]), FakeFormat("H264", [(1280, 720)], [25])]
    )
    raw, compressed = describe(PATH, kernel=kernel_of(camera)).formats
    assert (raw.fourcc, raw.is_read) == ("YUYV", True)
    assert [offered.size for offered in raw.sizes] == [SizeRange.fixed(640, 480), SizeRange.fixed(320, 240)]
    assert [offered.rates for offered in raw.sizes] == [(30.0, 15.0), (30.0, 15.0)]
    assert (compressed.fourcc, compressed.is_read) == ("H264", False)


def test_controls_come_with_what_they_are_set_to() -> None:
    hertz = FakeControl(
        0x980918, "Power Line Frequency", MENU, 0, 2, value=1, menu={0: "Disabled", 1: "50 Hz", 2: "60 Hz"}
    )
    camera = FakeCamera(
        controls=[FakeControl(0x980900, "Brightness", value=7), hertz, FakeControl(0x9A0923, "Pan", BUTTON)]
    )
    told = describe(PATH, kernel=kernel_of(camera)).controls
    assert [(reading.control.name, reading.value) for reading in told] == [
        ("brightness", 7),
        ("power_line_frequency", 1),
        ("pan", None),
    ]
    assert told[1].control.menu == {0: "Disabled", 1: "50 Hz", 2: "60 Hz"}


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EINVAL, errno.ETIMEDOUT])
def test_a_control_that_cannot_be_read_does_not_hide_the_rest(number: int) -> None:
    camera = FakeCamera(controls=[FakeControl(1, "One", value=1), FakeControl(2, "Two", value=2)])
    camera.refuse(27, number)  # VIDIOC_G_CTRL
    told = describe(PATH, kernel=kernel_of(camera)).controls
    assert [(reading.control.name, reading.value) for reading in told] == [("one", None), ("two", 2)]


def test_a_driver_that_lists_no_sizes_is_described_without_them() -> None:
    camera = FakeCamera()
    camera.lists_sizes = False
    description = describe(PATH, kernel=kernel_of(camera))
    assert description.formats == (OfferedFormat("YUYV", ()),)
    assert suited(description) is None


def test_a_camera_that_somebody_reads_is_described_all_the_same() -> None:
    camera = FakeCamera()
    camera.busy = True
    assert describe(PATH, kernel=kernel_of(camera)).formats


def test_a_node_that_takes_no_pictures_is_refused_and_closed() -> None:
    camera = FakeCamera()
    camera.caps = META_CAPTURE
    kernel = kernel_of(camera)
    with pytest.raises(SourceUnreadable, match="no pictures"):
        describe(PATH, kernel=kernel)
    assert kernel.open_files == 0


def test_a_camera_that_may_not_be_opened_is_denied() -> None:
    camera = FakeCamera()
    camera.open_error = errno.EACCES
    with pytest.raises(SourceDenied):
        describe(PATH, kernel=kernel_of(camera))


@pytest.mark.parametrize("request_number", [2, 74, 75, 36, 27])
def test_a_camera_that_is_unplugged_meanwhile_is_lost_and_closed(request_number: int) -> None:
    camera = FakeCamera(controls=[FakeControl(1, "One")])
    camera.refuse(request_number, errno.ENODEV)
    kernel = kernel_of(camera)
    with pytest.raises(SourceLost):
        describe(PATH, kernel=kernel)
    assert kernel.open_files == 0


def test_the_smallest_size_that_covers_the_models_input_suits_it() -> None:
    camera = offers(
        ("YUYV", 1280, 720, [30]), ("YUYV", 640, 480, [30]), ("YUYV", 352, 288, [30]), ("YUYV", 320, 240, [30])
    )
    assert suited(camera, 320) == WantedMode("YUYV", 640, 480, 30)
    assert suited(camera, 640) == WantedMode("YUYV", 1280, 720, 30)
    assert suited(camera, 160) == WantedMode("YUYV", 320, 240, 30)


def test_where_nothing_covers_it_the_largest_suits_it() -> None:
    assert suited(offers(("YUYV", 160, 120, [30]), ("YUYV", 320, 240, [30])), 640) == WantedMode("YUYV", 320, 240, 30)


def test_raw_pictures_are_preferred_where_they_are_fast_enough_and_mjpg_above() -> None:
    camera = offers(
        ("MJPG", 640, 480, [30]), ("YUYV", 640, 480, [30]), ("MJPG", 1280, 720, [30]), ("YUYV", 1280, 720, [10])
    )
    assert suited(camera, 416) == WantedMode("YUYV", 640, 480, 30)
    assert suited(camera, 640) == WantedMode("MJPG", 1280, 720, 30)


def test_what_edged_does_not_read_suits_no_model() -> None:
    assert suited(offers(("H264", 640, 480, [30]), ("RG10", 640, 480, [30]))) is None
    assert suited(offers()) is None


def test_less_than_ten_frames_a_second_suits_only_where_there_is_nothing_faster() -> None:
    assert suited(offers(("YUYV", 640, 480, [5]), ("YUYV", 320, 240, [30]))) == WantedMode("YUYV", 320, 240, 30)
    assert suited(offers(("YUYV", 640, 480, [9]), ("YUYV", 320, 240, [5]))) == WantedMode("YUYV", 640, 480, 9)


@pytest.mark.parametrize(
    ("rates", "fps"),
    [
        ([60, 50, 30, 25, 5], 30),
        ([30000 / 1001, 15], 30000 / 1001),
        ([25, 15], 25),
        ([120, 60], 60),
        ([60, 5], 30),  # the ends of a range
        ([9, 5], 9),
        ([], None),
    ],
)
def test_the_rate_is_the_one_next_to_thirty_that_is_not_more(rates: list[float], fps: float | None) -> None:
    mode = suited(offers(("YUYV", 640, 480, rates)))
    assert mode is not None
    assert mode.fps == fps


def test_of_a_range_of_sizes_the_smallest_that_covers_the_input_suits() -> None:
    sensor = OfferedSize(SizeRange(32, 2592, 2, 32, 1944, 2), (90.0, 1.0))
    camera = CameraDescription(driver="unicam", formats=(OfferedFormat("YU12", (sensor,)),), controls=())
    assert suited_mode(camera, width_px=415, height_px=320) == WantedMode("YU12", 416, 320, 30)


@given(
    modes=st.lists(
        st.tuples(
            st.sampled_from(["YUYV", "NV12", "MJPG", "GREY", "H264"]),
            st.integers(16, 4096),
            st.integers(16, 4096),
            st.lists(st.floats(1, 240), max_size=4).map(lambda rates: sorted(rates, reverse=True)),
        ),
        max_size=8,
    ),
    width_px=st.integers(32, 1280),
    height_px=st.integers(32, 1280),
)
@example(
    modes=[("YUYV", 16, 16, [1.0]), ("H264", 16, 16, [])], width_px=32, height_px=32
)  # what cannot be read is fast
def test_what_suits_is_on_offer_and_covers_the_input_if_anything_as_fast_does(
    modes: list[tuple[str, int, int, list[float]]], width_px: int, height_px: int
) -> None:
    mode = suited_mode(offers(*modes), width_px=width_px, height_px=height_px)
    read = [offer for offer in modes if offer[0] != "H264"]
    if mode is None:
        assert not read
        return
    assert (mode.fourcc, mode.width_px, mode.height_px) in [offer[:3] for offer in read]
    fast = [offer for offer in read if not offer[3] or offer[3][0] >= 10]
    if any(width >= width_px and height >= height_px for _, width, height, _ in fast):
        assert mode.width_px is not None
        assert mode.height_px is not None
        assert mode.width_px >= width_px
        assert mode.height_px >= height_px
