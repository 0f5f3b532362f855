"""The driver decides, and only its answer is believed."""

from __future__ import annotations

import logging

import pytest

from edged.capture.v4l2.mode import Mode, WantedMode
from edged.errors import SourceUnreadable
from edged.testing.v4l2_camera import FakeCamera, FakeFormat
from tests.unit.capture.v4l2.rig import Rig, opened

WEBCAM = (FakeFormat("MJPG", [(1280, 720), (640, 480)], [30]), FakeFormat("YUYV", [(640, 480), (320, 240)], [30, 15]))


def agreed(rig: Rig) -> Mode:
    assert rig.source.mode is not None
    return rig.source.mode


def test_before_it_is_open_there_is_no_mode() -> None:
    assert Rig().source.mode is None


def test_without_wishes_a_raw_format_of_usual_size_is_chosen_at_full_rate() -> None:
    mode = agreed(opened(FakeCamera(WEBCAM)))
    assert str(mode) == "YUYV 640 × 480 at 30 fps"
    assert (mode.stride_bytes, mode.plane_bytes) == (1280, (614400,))


def test_wishes_are_asked_for() -> None:
    wanted = WantedMode("YUYV", 320, 240, 15.0)
    rig = opened(FakeCamera(WEBCAM), wanted=wanted)
    assert str(agreed(rig)) == "YUYV 320 × 240 at 15 fps"
    frame = rig.read()
    assert (frame.width_px, frame.height_px) == (320, 240)
    assert rig.clock.monotonic() == pytest.approx(1000 + 1 / 15)


def test_a_size_that_only_a_compressed_format_has_brings_that_format() -> None:
    assert str(agreed(opened(FakeCamera(WEBCAM), wanted=WantedMode(width_px=1280)))) == "MJPG 1280 × 720 at 30 fps"


def test_what_the_driver_made_of_it_is_the_truth_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    camera = FakeCamera(WEBCAM)
    camera.fourcc_answered, camera.size_answered = "YUYV", (320, 180)
    with caplog.at_level(logging.WARNING):
        rig = opened(camera, wanted=WantedMode("MJPG", 320, 240, 25.0))
    assert str(agreed(rig)) == "YUYV 320 × 180 at 30 fps"
    assert rig.read().image().shape == (180, 320, 3)
    assert "was asked for format MJPG, height 240, fps 25, and gives YUYV 320 × 180" in caplog.text


def test_a_wish_that_is_granted_is_not_worth_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        opened(FakeCamera(WEBCAM), wanted=WantedMode("YUYV", 640, 480, 29.97))
    assert caplog.text == ""


def test_a_format_that_the_camera_does_not_have_is_replaced_by_one_that_it_has() -> None:
    assert agreed(opened(FakeCamera(WEBCAM), wanted=WantedMode("NV12"))).fourcc == "YUYV"


def test_a_camera_that_cannot_set_its_rate_keeps_its_own() -> None:
    camera = FakeCamera()
    camera.sets_rate = False
    rig = opened(camera)
    assert agreed(rig).fps == 5.0
    assert rig.source.stats.interval_s == 0.2


def test_a_camera_that_lists_no_sizes_is_asked_for_what_is_wanted() -> None:
    camera = FakeCamera(WEBCAM)
    camera.lists_sizes = False
    assert str(agreed(opened(camera, wanted=WantedMode(width_px=320, height_px=240)))) == "YUYV 320 × 240 at 30 fps"


def test_a_format_that_edged_cannot_read_is_refused_with_what_there_is() -> None:
    rig = Rig(FakeCamera([FakeFormat("H264"), FakeFormat("S920")]))
    with pytest.raises(SourceUnreadable, match="in the format H264") as caught:
        rig.source.open()
    assert "offers H264, S920" in caught.value.hint
    assert rig.kernel.open_files == 0


@pytest.mark.parametrize(
    ("colour", "full_range", "bt709"),
    [
        ((0, 0, 0), False, False),
        ((7, 0, 0), True, False),  # JPEG
        ((3, 0, 0), False, True),  # Rec. 709
        ((3, 1, 1), True, False),  # … but with BT.601's matrix in full range
        ((8, 2, 2), False, True),  # sRGB with Rec. 709's matrix
    ],
)
@pytest.mark.parametrize("multiplanar", [True, False])
def test_colours_are_read_as_the_header_says(
    colour: tuple[int, int, int], full_range: bool, bt709: bool, multiplanar: bool
) -> None:
    camera = FakeCamera([FakeFormat("NV12")], multiplanar=multiplanar)
    camera.colour = colour
    mode = agreed(opened(camera))
    assert (mode.full_range, mode.bt709) == (full_range, bt709)


def test_a_camera_with_several_planes_tells_the_size_of_each() -> None:
    mode = agreed(opened(FakeCamera([FakeFormat("NM12")], multiplanar=True)))
    assert (mode.fourcc, mode.stride_bytes, mode.plane_bytes) == ("NM12", 640, (307200, 153600))


@pytest.mark.parametrize("fps", [1e-9, 0.0004, 0.5, 1e9, 1e12])
def test_a_rate_that_no_camera_has_is_asked_for_as_well_as_it_can_be(fps: float) -> None:
    assert agreed(opened(FakeCamera(WEBCAM), wanted=WantedMode("YUYV", 640, 480, fps))).fps == (30 if fps > 1 else 15)


@pytest.mark.parametrize("multiplanar", [True, False])
@pytest.mark.parametrize("field", [4, 7])  # V4L2_FIELD_INTERLACED, V4L2_FIELD_ALTERNATE
def test_interlaced_pictures_are_told_of_once(field: int, multiplanar: bool, caplog: pytest.LogCaptureFixture) -> None:
    camera = FakeCamera([FakeFormat("NV12")], multiplanar=multiplanar)
    camera.field_answered = field
    rig = opened(camera)
    rig.source.open()
    assert caplog.text.count("interlaced") == 1
    assert agreed(rig).interlaced


@pytest.mark.parametrize("field", [0, 1])  # V4L2_FIELD_ANY, V4L2_FIELD_NONE
def test_whole_pictures_are_not_worth_a_word(field: int, caplog: pytest.LogCaptureFixture) -> None:
    camera = FakeCamera()
    camera.field_answered = field
    opened(camera)
    assert "interlaced" not in caplog.text
