from __future__ import annotations

from pathlib import Path

import pytest

from edged.capture.devices.finder import CameraFinder
from edged.errors import SourceNotFound
from edged.testing.sysfs import FakeMachine


def finder(machine: FakeMachine, source: Path, *, captures: bool = True) -> CameraFinder:
    return CameraFinder(source, captures=lambda node: captures, root=machine.root)


def link(machine: FakeMachine, folder: str) -> Path:
    """The link below /dev/v4l to the first node of the camera that was plugged in last."""
    return max(machine.dev.glob(f"v4l/{folder}/*-index0"), key=lambda path: path.resolve().name)


def test_the_first_time_it_is_the_path_as_configured(machine: FakeMachine) -> None:
    assert finder(machine, machine.dev / "video3")() == machine.dev / "video3"


def test_a_camera_that_was_not_there_at_the_start_is_known_from_its_first_time_on(machine: FakeMachine) -> None:
    find = finder(machine, machine.dev / "video0")
    find()
    machine.plug_usb(port="1-1")
    find()
    machine.unplug(machine.dev / "video0")
    back = machine.plug_usb(port="1-1", first=2)
    assert find() == back


def test_what_takes_no_pictures_is_not_remembered(machine: FakeMachine) -> None:
    node = machine.plug_platform("codec.0", name="decoder")
    find = finder(machine, node, captures=False)
    find()
    machine.unplug(node)
    machine.plug_usb(first=0)
    assert find() == node


@pytest.mark.parametrize("folder", ["", "by-id", "by-path"])
def test_a_camera_that_comes_back_with_another_number_is_found(machine: FakeMachine, folder: str) -> None:
    node = machine.plug_usb(port="1-2", serial="A1")
    find = finder(machine, link(machine, folder) if folder else node)
    find()
    machine.unplug(node)
    with pytest.raises(SourceNotFound, match=r"HD Webcam \(usb 1-2\) is unplugged"):
        find()
    back = machine.plug_usb(port="1-2", serial="A1", first=2)
    assert find() == back


def test_it_is_found_before_udev_has_made_its_links(machine: FakeMachine) -> None:
    node = machine.plug_usb()
    source = link(machine, "by-path")
    find = finder(machine, source)
    find()
    source.unlink()
    assert find() == node


def test_another_camera_under_the_old_number_is_refused(machine: FakeMachine) -> None:
    node = machine.plug_usb(port="1-2", name="Yard")
    find = finder(machine, node)
    find()
    machine.unplug(node)
    other = machine.plug_usb(port="1-3", name="Door")
    assert other == node
    with pytest.raises(SourceNotFound, match=r"is another camera now: Door \(usb 1-3\) instead of Yard \(usb 1-2\)"):
        find()
    back = machine.plug_usb(port="1-2", name="Yard")
    assert find() == back


def test_a_place_means_whatever_is_plugged_in_there_and_that_is_said(
    machine: FakeMachine, caplog: pytest.LogCaptureFixture
) -> None:
    node = machine.plug_usb(port="1-2", name="Old", product="0001")
    find = finder(machine, link(machine, "by-path"))
    find()
    machine.unplug(node)
    new = machine.plug_usb(port="1-2", name="New", product="0002", first=4)
    assert find() == new
    assert "leads to another camera now: New instead of Old (usb 1-2)" in caplog.text
    caplog.clear()
    assert find() == new
    assert caplog.text == ""


def test_a_new_camera_in_the_place_of_one_with_a_twin_has_none_itself(machine: FakeMachine) -> None:
    old = machine.plug_usb(port="1-2", serial="0")
    source = machine.dev / "front-door"
    source.symlink_to(old.name)
    find = finder(machine, source)
    machine.plug_usb(port="1-3", serial="0")
    find()
    machine.unplug(old)
    new = machine.plug_usb(port="1-2", serial="A1")
    assert find() == new
    machine.unplug(new)
    moved = machine.plug_usb(port="1-4", serial="A1", first=6)
    assert find() == moved


def test_a_camera_that_is_named_by_its_port_is_not_followed_to_another_one(machine: FakeMachine) -> None:
    left = machine.plug_usb(port="1-1", name="Left", serial="L")
    left_link = link(machine, "by-path")
    right = machine.plug_usb(port="1-2", name="Right", serial="R")
    right_link = link(machine, "by-path")
    find_left, find_right = finder(machine, left_link), finder(machine, right_link)
    find_left()
    find_right()
    machine.unplug(left)
    machine.unplug(right)
    left = machine.plug_usb(port="1-2", name="Left", serial="L")
    with pytest.raises(SourceNotFound, match=r"Left \(usb 1-1\) is unplugged"):
        find_left()
    assert find_right() == left
    right = machine.plug_usb(port="1-1", name="Right", serial="R")
    assert (find_left(), find_right()) == (right, left)


def test_a_link_by_a_rule_of_the_users_own_is_followed(machine: FakeMachine) -> None:
    first, second = machine.plug_usb(port="1-1", serial="A"), machine.plug_usb(port="1-2", serial="B")
    source = machine.dev / "front-door"
    source.symlink_to(first.name)
    find = finder(machine, source)
    find()
    source.unlink()
    source.symlink_to(second.name)
    assert find() == second


def test_a_camera_named_by_its_model_is_followed_to_another_port(machine: FakeMachine) -> None:
    node = machine.plug_usb(port="1-1")
    find = finder(machine, link(machine, "by-id"))
    find()
    machine.unplug(node)
    moved = machine.plug_usb(port="1-4", first=6)
    assert find() == moved


def test_a_link_that_equal_cameras_share_does_not_lead_from_one_to_the_other(machine: FakeMachine) -> None:
    mine = machine.plug_usb(port="1-1")
    machine.plug_usb(port="1-2")
    source = next(machine.dev.glob("v4l/by-id/*-index0"))
    source.unlink()
    source.symlink_to(f"../../{mine.name}")
    find = finder(machine, source)
    assert find() == source
    source.unlink()
    source.symlink_to("../../video2")
    assert find() == mine
    machine.unplug(mine)
    with pytest.raises(SourceNotFound, match="another camera now"):
        find()


def test_a_twin_is_not_forgotten_while_it_is_away(machine: FakeMachine) -> None:
    mine, twin = machine.plug_usb(port="1-1", serial="0"), machine.plug_usb(port="1-2", serial="0")
    find = finder(machine, mine)
    find()
    machine.unplug(twin)
    find()
    machine.unplug(mine)
    machine.plug_usb(port="1-2", serial="0")
    with pytest.raises(SourceNotFound):
        find()


def test_two_loopbacks_with_one_name_are_told_apart_by_their_numbers(machine: FakeMachine) -> None:
    nodes = machine.plug_loopback("door"), machine.plug_loopback("door")
    finders = [finder(machine, node) for node in nodes]
    for _ in range(3):
        assert tuple(find() for find in finders) == nodes
    machine.unplug(nodes[0])
    with pytest.raises(SourceNotFound):
        finders[0]()
    assert finders[1]() == nodes[1]


@pytest.mark.parametrize("folder", ["", "by-id"])
def test_a_twin_that_came_while_the_camera_was_read_is_not_taken_for_it(machine: FakeMachine, folder: str) -> None:
    mine = machine.plug_usb(port="1-1", serial="0")
    find = finder(machine, link(machine, folder) if folder else mine)
    find()
    twin = machine.plug_usb(port="1-2", serial="0")
    machine.let_pass(twin, 3600)
    machine.unplug(mine)
    for _ in range(3):
        with pytest.raises(SourceNotFound):
            find()
    back = machine.plug_usb(port="1-1", serial="0", first=6)
    assert find() == back


@pytest.mark.parametrize("looks", [0, 1])
def test_a_camera_that_is_moved_is_followed_and_that_is_said(
    machine: FakeMachine, caplog: pytest.LogCaptureFixture, looks: int
) -> None:
    node = machine.plug_usb(port="1-1", serial="A1")
    find = finder(machine, node)
    find()
    machine.let_pass(node, 3600)
    machine.unplug(node)
    for _ in range(looks):
        with pytest.raises(SourceNotFound):
            find()
    moved = machine.plug_usb(port="1-4", serial="A1", first=6)
    machine.let_pass(moved, 30 if looks else 4)
    assert find() == moved
    assert "HD Webcam (usb 1-1) was plugged in elsewhere: it is at usb 1-4 now" in caplog.text


def test_a_camera_that_hangs_is_reset_where_it_is_now(machine: FakeMachine) -> None:
    node = machine.plug_usb(port="1-2")
    sent: list[Path] = []
    find = CameraFinder(
        node,
        captures=lambda node: True,
        root=machine.root,
        ioctl=lambda file, request: sent.append(Path(f"/proc/self/fd/{file}").readlink()),
    )
    find()
    machine.unplug(node)
    machine.plug_usb(port="1-2", first=4)
    find.reset()
    assert sent == [machine.dev / "bus/usb/001/003"]


def test_a_camera_that_is_not_there_cannot_be_reset(machine: FakeMachine) -> None:
    with pytest.raises(SourceNotFound, match="cannot be reset"):
        finder(machine, machine.dev / "video0").reset()
