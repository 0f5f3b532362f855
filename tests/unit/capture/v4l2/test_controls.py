from __future__ import annotations

import errno
from collections.abc import Mapping

import pytest

from edged.capture.v4l2 import abi
from edged.capture.v4l2.controls import ControlValue, list_controls, normalised
from edged.capture.v4l2.describe import describe
from edged.capture.v4l2.device import Device
from edged.errors import SourceBroken, SourceError, SourceLost, SourceMisconfigured
from edged.testing.v4l2_camera import FakeCamera
from edged.testing.v4l2_controls import (
    BITMASK,
    BOOLEAN,
    BUTTON,
    CLASS,
    INTEGER,
    INTEGER_MENU,
    MENU,
    READ_ONLY,
    FakeControl,
)
from tests.unit.capture.v4l2.rig import PATH, Rig

MANUAL, AUTO = 1, 3


def camera() -> FakeCamera:
    """What a webcam has."""
    return FakeCamera(
        controls=[
            FakeControl(1, "User Controls", CLASS),
            FakeControl(2, "Brightness", minimum=-64, maximum=64, step=8),
            FakeControl(3, "White Balance, Automatic", BOOLEAN, maximum=1, value=1),
            FakeControl(4, "Power Line Frequency", MENU, maximum=3, menu={0: "Disabled", 1: "50 Hz", 2: "60 Hz"}),
            FakeControl(5, "Link Frequency", INTEGER_MENU, maximum=1, menu={0: 400_000_000, 1: -5}),
            FakeControl(6, "Auto Exposure", MENU, minimum=0, maximum=3, value=AUTO, menu={1: "Manual Mode", 3: "Auto"}),
            FakeControl(7, "Exposure Time, Absolute", minimum=3, maximum=2047, inactive_unless=(6, MANUAL)),
            FakeControl(8, "Pan Reset", BUTTON, maximum=0),
            FakeControl(9, "Corrections", BITMASK, maximum=0b101),
            FakeControl(10, "Sensor Temperature", flags=READ_ONLY),
        ]
    )


def refusal(controls: Mapping[str, ControlValue]) -> str:
    rig = Rig(camera(), controls=controls)
    with pytest.raises(SourceMisconfigured) as caught:
        rig.source.open()
    assert rig.kernel.open_files == 0
    assert rig.camera.controls.set == []
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Power Line Frequency", "power_line_frequency"),
        ("White Balance, Automatic", "white_balance_automatic"),
        ("Exposure (Absolute)", "exposure_absolute"),
        ("zoom_absolute", "zoom_absolute"),
    ],
)
def test_names_are_spelled_as_v4l2_ctl_spells_them(name: str, expected: str) -> None:
    assert normalised(name) == expected


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("brightness", -64, -64),
        ("white_balance_automatic", False, 0),
        ("white_balance_automatic", 1, 1),
        ("power_line_frequency", "50 Hz", 1),
        ("power_line_frequency", "60 hz", 2),
        ("power_line_frequency", 0, 0),
        ("Power Line Frequency", 2, 2),
        ("link_frequency", "400000000", 0),
        ("link_frequency", "-5", 1),
        ("pan_reset", True, 1),
        ("corrections", 0b100, 4),
    ],
)
def test_a_control_is_set_by_its_name_at_each_opening(name: str, value: ControlValue, number: int) -> None:
    rig = Rig(camera(), controls={name: value})
    rig.source.open()
    rig.source.open()
    assert [number for _, number in rig.camera.controls.set] == [number, number]


def test_a_control_that_waits_for_another_is_set_after_it_in_whatever_order_they_are_named() -> None:
    rig = Rig(camera(), controls={"exposure_time_absolute": 100, "auto_exposure": "Manual Mode"})
    rig.source.open()
    assert rig.camera.controls.set == [("Auto Exposure", MANUAL), ("Exposure Time, Absolute", 100)]


def test_a_control_that_another_one_keeps_from_working_is_refused() -> None:
    assert "exposure_time_absolute has no effect while another control" in refusal({"exposure_time_absolute": 100})


@pytest.mark.parametrize(
    ("controls", "words"),
    [
        ({"brightnes": 1}, 'brightnes: no such control; did you mean "brightness"?'),
        ({"qqq": 1}, "qqq: no such control; there are: brightness, white_balance_automatic"),
        ({"brightness": 65}, "brightness: 65 does not fit; it takes -64 to 64 in steps of 8"),
        ({"brightness": True}, "brightness: True does not fit"),
        ({"brightness": "high"}, "brightness: 'high' does not fit"),
        ({"white_balance_automatic": 2}, "it takes true or false"),
        ({"power_line_frequency": "70 Hz"}, 'it takes 0 or "Disabled", 1 or "50 Hz", 2 or "60 Hz"'),
        ({"power_line_frequency": 3}, "power_line_frequency: 3 does not fit"),
        ({"auto_exposure": 2}, 'it takes 1 or "Manual Mode", 3 or "Auto"'),  # the menu has a gap there
        ({"pan_reset": False}, "it takes true, which presses it"),
        ({"pan_reset": 1}, "it takes true, which presses it"),
        ({"corrections": 0b010}, "corrections: 2 does not fit"),
        ({"corrections": -1}, "corrections: -1 does not fit"),
        ({"sensor_temperature": 1}, "sensor_temperature: can be read only"),
        ({"user_controls": 1}, "user_controls: no such control"),
    ],
)
def test_a_control_that_cannot_be_set_so_says_why(controls: Mapping[str, ControlValue], words: str) -> None:
    assert words in refusal(controls)


def test_all_wrong_controls_are_told_at_once_and_none_is_set() -> None:
    message = refusal({"brightness": 999, "contrast": 1, "white_balance_automatic": True})
    assert "brightness: 999" in message
    assert "contrast: no such control" in message
    assert "white_balance_automatic:" not in message


def test_what_the_driver_refuses_all_the_same_is_told() -> None:
    rig = Rig(camera(), controls={"brightness": 3})
    rig.camera.refuse(abi.S_CTRL, errno.EBUSY)
    with pytest.raises(SourceMisconfigured, match="brightness: the camera refused 3: Device or resource busy"):
        rig.source.open()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENODEV, SourceLost),
        (errno.EIO, SourceBroken),
        (errno.ETIMEDOUT, SourceBroken),
        (errno.EILSEQ, SourceMisconfigured),  # a webcam's "not in this state"
    ],
)
def test_a_camera_that_is_gone_or_broken_meanwhile_is_not_misconfigured(
    number: int, expected: type[SourceError]
) -> None:
    rig = Rig(camera(), controls={"brightness": 3})
    rig.camera.refuse(abi.S_CTRL, number)
    with pytest.raises(expected):
        rig.source.open()


def test_headings_are_no_controls() -> None:
    rig = Rig(camera())
    device = Device(PATH, rig.kernel)
    names = [control.name for control in list_controls(device).controls]
    device.close()
    assert names[:2] == ["brightness", "white_balance_automatic"]
    assert "user_controls" not in names
    assert len(names) == 9


def buggy(broken: int, number: int = errno.EIO) -> FakeCamera:
    """A webcam that cannot describe the control with this place in its list."""
    numbers = {
        0x980001: "User Controls",
        0x980900: "Brightness",
        0x980903: "Hue",
        0x980918: "Power Line Frequency",
        0x9A0001: "Camera Controls",
        0x9A0901: "Zoom",
        0x9A0910: "Iris",
    }
    controls = [FakeControl(key, name, CLASS if key & 0xFFFF == 1 else INTEGER) for key, name in numbers.items()]
    controls[broken].trouble = number
    return FakeCamera(controls=controls)


@pytest.mark.parametrize("broken", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_control_that_the_camera_cannot_describe_hides_only_itself(broken: int, number: int) -> None:
    rig = Rig(buggy(broken, number), controls={})
    told = describe(PATH, kernel=rig.kernel)
    assert told.formats
    names = ["", "brightness", "hue", "power_line_frequency", "", "zoom", "iris"]
    names[broken] = ""
    assert [reading.control.name for reading in told.controls] == [name for name in names if name]
    rig.source.open()
    assert rig.play(1) == [0]


def test_a_wanted_control_is_set_though_the_camera_cannot_describe_another_one() -> None:
    rig = Rig(buggy(2), controls={"zoom": 7})
    rig.source.open()
    assert rig.camera.controls.set == [("Zoom", 7)]


def test_a_wanted_control_that_the_camera_cannot_describe_is_its_fault() -> None:
    rig = Rig(buggy(2), controls={"hue": 7})
    with pytest.raises(SourceBroken, match=r"cannot describe all its controls \(Input/output error\).* hue"):
        rig.source.open()
    assert rig.kernel.open_files == 0


def test_a_camera_that_hangs_over_a_control_is_not_asked_for_the_next() -> None:
    camera = buggy(1, errno.ETIMEDOUT)
    rig = Rig(camera)
    assert describe(PATH, kernel=rig.kernel).controls == ()


def test_a_camera_that_is_pulled_out_while_it_lists_its_controls_is_lost() -> None:
    rig = Rig(buggy(1, errno.ENODEV))
    with pytest.raises(SourceLost):
        describe(PATH, kernel=rig.kernel)


def test_a_value_that_the_driver_cuts_is_told_with_what_it_was_cut_to(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(camera(), controls={"brightness": 3, "pan_reset": True})
    rig.source.open()
    assert rig.camera.controls.set == [("Brightness", 0), ("Pan Reset", 1)]
    assert "/dev/video0 was asked for brightness = 3, and has set 0" in caplog.text
    assert "pan_reset" not in caplog.text
