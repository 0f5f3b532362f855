from __future__ import annotations

import json
from pathlib import Path

import pytest

from edged.app import mode_for, model_spec
from edged.capture.cameras import FoundCamera, find_cameras
from edged.capture.devices.nodes import video_nodes
from edged.cli.camera_record import record
from edged.cli.camera_screen import paragraphs
from edged.cli.camera_table import name_for
from edged.config.loader import parse_config
from edged.config.schema import CameraSection
from edged.testing.clock import FakeClock
from edged.testing.sysfs import FakeMachine
from edged.testing.v4l2 import FakeKernel
from edged.testing.v4l2_camera import META_CAPTURE, FakeCamera, FakeFormat
from edged.testing.v4l2_controls import BOOLEAN, BUTTON, MENU, FakeControl
from tests.unit.cli.conftest import Edged

WEBCAM = FakeCamera(
    [
        FakeFormat("YUYV", [(640, 480), (320, 240)], [30, 15]),
        FakeFormat("MJPG", [(1280, 720)], [30]),
        FakeFormat("H264", [(1920, 1080)], [30]),
    ],
    controls=[
        FakeControl(0x980900, "Brightness", minimum=-64, maximum=64, value=3),
        FakeControl(0x98090C, "White Balance, Automatic", BOOLEAN, 0, 1, value=1),
        FakeControl(0x980918, "Power Line Frequency", MENU, 0, 1, value=1, menu={0: "Disabled", 1: "50 Hz"}),
        FakeControl(0x9A0923, "Pan, Reset", BUTTON),
    ],
)
SPEC = model_spec("builtin")


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def found(machine: FakeMachine, camera: FakeCamera = WEBCAM) -> list[FoundCamera]:
    """What is found where `camera` is the driver of every first node, and the others give data about pictures."""
    metadata = FakeCamera()
    metadata.caps = META_CAPTURE
    nodes = {node.path: metadata if node.index else camera for node in video_nodes(machine.root)}
    return find_cameras(root=machine.root, kernel=FakeKernel(nodes, clock=FakeClock()))


def screen(cameras: list[FoundCamera], *, columns: int = 100) -> str:
    """The screen as it would be, were the fake machine's root the real one."""
    root = str(cameras[0].node.path.parents[1])
    shown = paragraphs([(camera, mode_for(camera, SPEC)) for camera in cameras], SPEC, columns=columns)
    return "\n\n".join(shown).replace(root, "")


def sections(text: str) -> tuple[CameraSection, ...]:
    """The [[camera]] tables of a screen, read as a configuration file."""
    tables = [paragraph for paragraph in text.split("\n\n") if paragraph.startswith("[[camera]]")]
    return parse_config("\n".join(tables), name="edged.toml", folder=Path("/")).camera


def test_a_camera_is_shown_with_all_that_it_offers(machine: FakeMachine) -> None:
    machine.plug_usb(port="1-2", name="HD Webcam: HD Webcam", serial="A1")
    assert (
        screen(found(machine), columns=300)
        == """\
/dev/video0: HD Webcam: HD Webcam (uvcvideo, usb 1-2, 046d:0825, serial number A1)
  names     /dev/v4l/by-id/usb-046d_HD_Webcam__HD_Webcam_A1-video-index0
            /dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0
  YUYV      640 × 480, 320 × 240 at 30, 15 fps
  MJPG      1280 × 720 at 30 fps
  H264      edged does not read this format (1 size)
  controls  brightness: -64 to 64; default 0, now 3
            white_balance_automatic: true or false; default false, now true
            power_line_frequency: 0 or "Disabled", 1 or "50 Hz"; default "Disabled", now "50 Hz"
            pan_reset: true, which presses it

  for edged-nano (320 × 320), in the configuration file:

[[camera]]
name = "hd-webcam"
source = "/dev/v4l/by-id/usb-046d_HD_Webcam__HD_Webcam_A1-video-index0"
format = "YUYV"
width_px = 640
height_px = 480
fps = 30

Video devices that take no pictures: /dev/video1 (HD Webcam: HD Webcam)"""
    )


def test_the_tables_are_a_configuration_with_the_mode_that_suits_the_model(machine: FakeMachine) -> None:
    machine.plug_usb(port="1-1")
    machine.plug_usb(port="1-2")
    first, second = sections(screen(found(machine)))
    assert (first.name, second.name) == ("hd-webcam", "hd-webcam-2")
    assert first.source == "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0"
    assert second.source == "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0"
    assert (first.format, first.width_px, first.height_px, first.fps) == ("YUYV", 640, 480, 30.0)


@pytest.mark.parametrize("rates", [[30], [7]])
@pytest.mark.parametrize("fourcc", ["MJPG", "JPEG", "YUYV", "UYVY", "NV12", "YU12", "GREY", "BGR3"])
def test_every_format_that_edged_reads_can_be_configured(machine: FakeMachine, fourcc: str, rates: list[int]) -> None:
    machine.plug_platform()
    (section,) = sections(screen(found(machine, FakeCamera([FakeFormat(fourcc, rates=rates)]))))
    assert (section.format, section.fps) == (fourcc, rates[0])


def test_a_slow_camera_is_configured_with_the_time_that_it_takes(machine: FakeMachine) -> None:
    machine.plug_platform()
    (section,) = sections(screen(found(machine, FakeCamera([FakeFormat("YUYV", rates=[1])]))))
    assert (section.fps, section.frame_timeout_s) == (1, 2)


@pytest.mark.parametrize("name", ['Eye "2" \\ ä', "::", "-", "A" * 80, "Dummy video device (0x0000)", "カメラ"])
def test_a_camera_of_any_name_gets_one_that_a_configuration_may_have(machine: FakeMachine, name: str) -> None:
    machine.plug_loopback(name)
    machine.plug_loopback(name)
    assert len(sections(screen(found(machine)))) == 2


def test_a_name_is_never_given_twice(machine: FakeMachine) -> None:
    machine.plug_loopback("yard")
    (camera,) = found(machine)
    assert name_for(camera, {"yard", "yard-2"}) == "yard-3"


def test_a_camera_that_may_not_be_opened_says_what_to_do(machine: FakeMachine) -> None:
    machine.plug_usb(nodes=1)
    denied = FakeCamera()
    denied.open_error = 13
    text = screen(found(machine, denied))
    assert "trouble   " in text
    assert "group `video`" in text
    assert "[[camera]]" not in text


def test_a_sensor_without_a_picture_processor_sends_people_to_libcamera(machine: FakeMachine) -> None:
    machine.plug_platform("fe801000.csi", name="unicam-image", driver="unicam")
    text = screen(found(machine, FakeCamera([FakeFormat("RG10")])))
    assert "edged reads none of its formats" in text
    assert "libcamera" in text
    assert "[[camera]]" not in text


def test_a_driver_that_lists_no_sizes_gets_a_table_without_a_mode(machine: FakeMachine) -> None:
    machine.plug_loopback()
    camera = FakeCamera()
    camera.lists_sizes = False
    text = screen(found(machine, camera))
    assert "YUYV      sizes that the driver does not list" in text
    (section,) = sections(text)
    assert section.format is None


def test_long_lines_are_folded_and_paths_never(machine: FakeMachine) -> None:
    machine.plug_usb(name="A very long name of a very small camera " * 3)
    camera = FakeCamera([FakeFormat("YUYV", [(16 * size, 16 * size) for size in range(1, 40)])])
    lines = screen(found(machine, camera), columns=70).splitlines()
    assert all(len(line) <= 70 for line in lines if "/dev/" not in line)
    assert any(line.endswith("-video-index0") for line in lines)


def test_a_record_holds_the_same_as_the_screen(machine: FakeMachine) -> None:
    machine.plug_usb(port="1-2", serial="A1")
    cameras = found(machine)
    told, metadata = (json.loads(json.dumps(record(camera, mode_for(camera, SPEC)))) for camera in cameras)
    assert told["device"] == str(machine.dev / "video0")
    assert told["stable_path"] == told["links"][0]
    assert told["usb"]["serial"] == "A1"
    assert told["formats"][0]["fourcc"] == "YUYV"
    assert told["formats"][0]["sizes"][0]["max_width"] == 640
    assert told["formats"][0]["sizes"][0]["fps"] == [30.0, 15.0]
    assert told["controls"][2] == {
        "name": "power_line_frequency",
        "type": "menu",
        "minimum": 0,
        "maximum": 1,
        "step": 1,
        "default": 0,
        "value": 1,
        "menu": {"0": "Disabled", "1": "50 Hz"},
    }
    assert told["suited"] == {"format": "YUYV", "width_px": 640, "height_px": 480, "fps": 30.0}
    assert (told["takes_pictures"], told["trouble"]) == (True, None)
    assert (metadata["takes_pictures"], metadata["formats"], metadata["suited"]) == (False, [], None)
    assert "no pictures" in metadata["trouble"]


@pytest.mark.skipif(bool(video_nodes()), reason="this machine has a video device")
def test_a_machine_without_a_camera_says_where_one_may_be(edged: Edged) -> None:
    result = edged("cameras")
    assert (result.code, result.out) == (3, "")
    assert "There is no camera at this machine." in result.err
    assert "libcamera" in result.err


def test_a_model_that_is_not_there_is_told(edged: Edged) -> None:
    assert edged("cameras", "--model", "./none").code == 4
