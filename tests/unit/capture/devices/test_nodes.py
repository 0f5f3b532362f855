from __future__ import annotations

from pathlib import Path

import pytest

from edged.capture.devices.nodes import UsbDevice, node_at, video_nodes
from edged.testing.sysfs import FakeMachine
from tests.unit.capture.clips import as_nobody


def test_a_machine_without_cameras_has_none(machine: FakeMachine) -> None:
    assert video_nodes(machine.root) == []


def test_a_machine_without_sysfs_has_none(tmp_path: Path) -> None:
    assert video_nodes(tmp_path) == []


def test_a_usb_camera_is_listed_with_all_that_sysfs_knows(machine: FakeMachine) -> None:
    machine.plug_usb(port="1-2.4", name="HD Webcam", vendor="046d", product="0825", serial="A1B2")
    picture, metadata = video_nodes(machine.root)
    assert picture.path == machine.dev / "video0"
    assert (picture.name, picture.driver, picture.bus, picture.index) == ("HD Webcam", "uvcvideo", "usb", 0)
    assert picture.place == "pci0000:00/0000:00:14.0/usb1/1-2.4/1-2.4:1.0"
    assert picture.usb == UsbDevice("046d", "0825", "A1B2", "1-2.4", 0, 1, 2)
    assert picture.where == "usb 1-2.4"
    assert [link.name for link in picture.links] == [
        "usb-046d_HD_Webcam_A1B2-video-index0",
        "pci-0000:00:14.0-usb-0:2.4:1.0-video-index0",
    ]
    assert (metadata.path.name, metadata.index) == ("video1", 1)


def test_a_camera_of_the_board_and_a_loopback_are_listed_too(machine: FakeMachine) -> None:
    machine.plug_platform("vivid.0", name="vivid-000-vid-cap")
    machine.plug_loopback("Dummy")
    board, loopback = video_nodes(machine.root)
    assert (board.name, board.bus, board.driver, board.usb) == ("vivid-000-vid-cap", "platform", "vivid", None)
    assert (board.place, board.where) == ("platform/vivid.0", "vivid.0")
    assert (loopback.name, loopback.bus, loopback.driver, loopback.place) == ("Dummy", "virtual", "", "")
    assert (loopback.links, loopback.where) == ((), "virtual")


def test_devices_are_in_the_order_of_their_numbers(machine: FakeMachine) -> None:
    for number in (10, 2, 0):
        machine.plug_loopback(first=number)
    assert [node.path.name for node in video_nodes(machine.root)] == ["video0", "video2", "video10"]


def test_what_is_no_video_device_is_left_out(machine: FakeMachine) -> None:
    machine.plug_loopback()
    for name in ("radio0", "vbi0", "v4l-subdev0"):
        (machine.root / "sys/class/video4linux" / name).mkdir()
        (machine.dev / name).touch()
    assert [node.path.name for node in video_nodes(machine.root)] == ["video0"]


def test_a_camera_that_was_not_handed_into_the_container_is_left_out(machine: FakeMachine) -> None:
    machine.plug_loopback().unlink()
    assert video_nodes(machine.root) == []


def test_a_serial_number_in_no_known_letters_harms_nobody(machine: FakeMachine) -> None:
    machine.plug_usb(serial="X")
    (serial,) = machine.root.glob("sys/devices/**/serial")
    serial.write_bytes(b"\xff\xfe\n")
    usb = video_nodes(machine.root)[0].usb
    assert usb is not None
    assert usb.serial == "\ufffd\ufffd"


def test_it_is_said_whether_this_user_may_open_it(world_readable: FakeMachine) -> None:
    node = world_readable.plug_loopback()
    node.chmod(0o000)
    with as_nobody():
        assert not video_nodes(world_readable.root)[0].may_open
    node.chmod(0o666)
    with as_nobody():
        assert video_nodes(world_readable.root)[0].may_open


def test_a_node_is_found_by_its_links(machine: FakeMachine) -> None:
    machine.plug_usb()
    nodes = video_nodes(machine.root)
    assert all(node_at(link, nodes) is node for node in nodes for link in (node.path, *node.links))
    assert node_at(machine.dev / "video7", nodes) is None


@pytest.mark.parametrize("loop", [True, False])
def test_a_link_that_leads_nowhere_is_no_node(machine: FakeMachine, loop: bool) -> None:
    machine.plug_usb()
    link = machine.dev / "cam"
    link.symlink_to("cam" if loop else "gone")
    assert node_at(link, video_nodes(machine.root)) is None


def test_an_unplugged_camera_is_gone_with_all_its_names(machine: FakeMachine) -> None:
    machine.plug_usb(port="1-1")
    stays = machine.plug_usb(port="1-2")
    machine.unplug(machine.dev / "video0")
    assert [node.path for node in video_nodes(machine.root)] == [stays, stays.with_name("video3")]
    assert {link.resolve().name for link in machine.dev.glob("v4l/by-path/*")} == {"video2", "video3"}
