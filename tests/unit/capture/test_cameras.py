from __future__ import annotations

import errno
from pathlib import Path

import pytest

from edged.capture.cameras import find_cameras, stable_path, takes_pictures
from edged.capture.devices.nodes import video_nodes
from edged.capture.v4l2 import abi
from edged.errors import SourceBroken, SourceDenied
from edged.testing.clock import FakeClock
from edged.testing.sysfs import FakeMachine
from edged.testing.v4l2 import FakeKernel
from edged.testing.v4l2_camera import CAPTURE, META_CAPTURE, FakeCamera


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


def kernel_of(machine: FakeMachine) -> FakeKernel:
    """Drivers for all nodes: the first of each camera takes pictures, the second tells of them."""
    cameras = {}
    for node in video_nodes(machine.root):
        cameras[node.path] = FakeCamera()
        if node.index:
            cameras[node.path].caps = META_CAPTURE
    return FakeKernel(cameras, clock=FakeClock())


def test_every_node_is_found_and_those_that_take_pictures_are_told_from_the_rest(machine: FakeMachine) -> None:
    machine.plug_usb()
    picture, metadata = find_cameras(root=machine.root, kernel=kernel_of(machine))
    assert picture.takes_pictures
    assert picture.offers is not None
    assert picture.trouble is None
    assert not metadata.takes_pictures
    assert metadata.offers is None
    assert "no pictures" in str(metadata.trouble)


def test_a_camera_that_this_user_may_not_open_is_listed_with_its_trouble(machine: FakeMachine) -> None:
    machine.plug_platform()
    kernel = kernel_of(machine)
    kernel.cameras[machine.dev / "video0"].open_error = 13
    (camera,) = find_cameras(root=machine.root, kernel=kernel)
    assert camera.takes_pictures
    assert isinstance(camera.trouble, SourceDenied)
    assert "group `video`" in camera.trouble.hint


def test_a_camera_that_hangs_is_listed_with_its_trouble(machine: FakeMachine) -> None:
    machine.plug_usb(nodes=1)
    kernel = kernel_of(machine)
    kernel.cameras[machine.dev / "video0"].refuse(abi.ENUM_FMT, errno.EPIPE)
    (camera,) = find_cameras(root=machine.root, kernel=kernel)
    assert camera.takes_pictures
    assert isinstance(camera.trouble, SourceBroken)


def test_a_camera_that_edged_cannot_read_is_one_all_the_same(machine: FakeMachine) -> None:
    machine.plug_usb(nodes=1)
    kernel = kernel_of(machine)
    kernel.cameras[machine.dev / "video0"].caps = CAPTURE  # and no streaming
    (camera,) = find_cameras(root=machine.root, kernel=kernel)
    assert camera.takes_pictures
    assert "without buffers" in str(camera.trouble)


def test_whether_it_takes_pictures_is_the_drivers_word(machine: FakeMachine) -> None:
    node = machine.plug_usb()
    kernel = kernel_of(machine)
    assert takes_pictures(node, kernel=kernel)
    assert not takes_pictures(node.with_name("video1"), kernel=kernel)
    assert not takes_pictures(node.with_name("video9"), kernel=kernel)
    assert kernel.open_files == 0


def test_the_real_kernel_knows_a_device_that_takes_no_pictures() -> None:
    assert not takes_pictures(Path("/dev/null"))


def name_of(machine: FakeMachine, path: Path) -> str:
    nodes = video_nodes(machine.root)
    node = next(node for node in nodes if node.path == path)
    return str(stable_path(node, nodes).relative_to(machine.dev))


def test_the_stable_name_is_made_of_a_serial_number_of_its_own(machine: FakeMachine) -> None:
    node = machine.plug_usb(serial="A1")
    assert name_of(machine, node) == "v4l/by-id/usb-046d_HD_Webcam_A1-video-index0"


@pytest.mark.parametrize("serial", [None, "SN0001"])
def test_without_one_it_is_the_port(machine: FakeMachine, serial: str | None) -> None:
    node = machine.plug_usb(port="1-1", serial=serial)
    machine.plug_usb(port="1-2", serial=serial)
    assert name_of(machine, node) == "v4l/by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0"


def test_where_udev_made_no_links_it_is_the_number(machine: FakeMachine) -> None:
    assert name_of(machine, machine.plug_loopback()) == "video0"
