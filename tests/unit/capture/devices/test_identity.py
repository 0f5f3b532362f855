from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edged.capture.devices.identity import CameraIdentity, find_again, identify
from edged.capture.devices.nodes import UsbDevice, VideoNode, node_at, video_nodes
from edged.testing.sysfs import FakeMachine


def remember(machine: FakeMachine, path: Path) -> CameraIdentity:
    nodes = video_nodes(machine.root)
    node = node_at(path, nodes)
    assert node is not None
    return identify(node, nodes)


def found(machine: FakeMachine, identity: CameraIdentity) -> Path | None:
    node = find_again(identity, video_nodes(machine.root))
    return None if node is None else node.path


def test_a_camera_at_its_port_is_found_under_its_new_number(machine: FakeMachine) -> None:
    node = machine.plug_usb(port="1-2")
    identity = remember(machine, node)
    machine.unplug(node)
    assert found(machine, identity) is None
    back = machine.plug_usb(port="1-2", first=4)
    assert found(machine, identity) == back


def test_a_camera_with_a_serial_number_is_found_at_another_port(machine: FakeMachine) -> None:
    node = machine.plug_usb(port="1-2", serial="A1")
    identity = remember(machine, node)
    machine.unplug(node)
    machine.plug_usb(port="1-2", serial="B2")
    assert found(machine, identity) is None
    back = machine.plug_usb(port="1-3.1", serial="A1")
    assert found(machine, identity) == back


def test_a_camera_without_a_serial_number_is_not_looked_for_at_another_port(machine: FakeMachine) -> None:
    node = machine.plug_usb(port="1-2")
    identity = remember(machine, node)
    machine.unplug(node)
    machine.plug_usb(port="1-3")
    assert found(machine, identity) is None


def test_another_model_at_the_same_port_is_another_camera(machine: FakeMachine) -> None:
    node = machine.plug_usb(port="1-2", product="0825")
    identity = remember(machine, node)
    machine.unplug(node)
    machine.plug_usb(port="1-2", product="0826")
    assert found(machine, identity) is None


def test_two_equal_cameras_are_told_apart_by_their_ports_when_they_swap_numbers(machine: FakeMachine) -> None:
    left, right = machine.plug_usb(port="1-1"), machine.plug_usb(port="1-2")
    identities = remember(machine, left), remember(machine, right)
    machine.unplug(left)
    machine.unplug(right)
    right, left = machine.plug_usb(port="1-2"), machine.plug_usb(port="1-1")
    assert (left.name, right.name) == ("video2", "video0")
    assert [found(machine, identity) for identity in identities] == [left, right]


def test_a_serial_number_that_two_cameras_share_is_worth_nothing(machine: FakeMachine) -> None:
    left = machine.plug_usb(port="1-1", serial="SN0001")
    machine.plug_usb(port="1-2", serial="SN0001")
    identity = remember(machine, left)
    assert identity.has_twin
    machine.unplug(left)
    assert found(machine, identity) is None


def test_of_two_that_came_with_its_serial_number_none_is_taken_but_the_one_at_its_port(machine: FakeMachine) -> None:
    node = machine.plug_usb(port="1-1", serial="SN0001")
    identity = remember(machine, node)
    machine.unplug(node)
    machine.plug_usb(port="1-2", serial="SN0001")
    machine.plug_usb(port="1-3", serial="SN0001")
    assert found(machine, identity) is None
    back = machine.plug_usb(port="1-1", serial="SN0001")
    assert found(machine, identity) == back


def test_the_node_for_pictures_is_never_taken_for_the_one_beside_it(machine: FakeMachine) -> None:
    node = machine.plug_usb(port="1-1", nodes=2)
    identity = remember(machine, node.with_name("video1"))
    machine.unplug(node)
    back = machine.plug_usb(port="1-1", nodes=2, first=6)
    assert found(machine, identity) == back.with_name("video7")


def test_a_camera_of_the_board_is_known_by_its_place_and_driver(machine: FakeMachine) -> None:
    node = machine.plug_platform("vivid.0", name="vivid-000-vid-cap")
    identity = remember(machine, node)
    machine.unplug(node)
    machine.plug_platform("vivid.1", name="vivid-000-vid-cap", first=3)
    assert found(machine, identity) is None
    back = machine.plug_platform("vivid.0", name="vivid-000-vid-cap", first=5)
    assert found(machine, identity) == back


def test_a_loopback_is_known_by_its_name(machine: FakeMachine) -> None:
    machine.plug_loopback("yard")
    identity = remember(machine, machine.plug_loopback("door"))
    machine.unplug(machine.dev / "video1")
    assert found(machine, identity) is None
    back = machine.plug_loopback("door", first=9)
    assert found(machine, identity) == back


def test_of_two_loopbacks_with_one_name_none_is_taken_but_the_one_that_is_named(machine: FakeMachine) -> None:
    identity = remember(machine, machine.plug_loopback("door"))
    second = machine.plug_loopback("door")
    assert found(machine, identity) is None
    nodes = video_nodes(machine.root)
    named = node_at(second, nodes)
    assert find_again(identity, nodes, named=named) == named


def test_of_two_loopbacks_with_one_name_the_other_is_not_taken_when_it_is_the_last(machine: FakeMachine) -> None:
    first = machine.plug_loopback("door")
    machine.plug_loopback("door")
    identity = remember(machine, first)
    machine.unplug(first)
    assert found(machine, identity) is None


NODES = st.builds(
    lambda number, place, index, usb: VideoNode(
        path=Path(f"/dev/video{number}"),
        name="camera",
        index=index,
        driver="uvcvideo",
        bus="usb",
        place=place,
        usb=usb,
        links=(),
        may_open=True,
    ),
    number=st.integers(0, 9),
    place=st.sampled_from(["1-1", "1-2", "1-3"]),
    index=st.integers(0, 1),
    usb=st.builds(
        UsbDevice,
        vendor=st.just("046d"),
        product=st.sampled_from(["0825", "0826"]),
        serial=st.sampled_from([None, "", "A"]),
        port=st.just("1-1"),
        interface=st.integers(0, 1),
        bus_number=st.just(1),
        device_number=st.integers(1, 9),
    ),
)


@given(seen=st.lists(NODES, min_size=1), later=st.lists(NODES))
def test_whatever_is_found_is_of_the_same_kind_and_at_its_place_unless_its_serial_number_is_its_own(
    seen: list[VideoNode], later: list[VideoNode]
) -> None:
    identity = identify(seen[0], seen)
    node = find_again(identity, later)
    if node is not None:
        known = identity.node
        assert node.usb is not None
        assert known.usb is not None
        assert (node.index, node.usb.product, node.usb.serial) == (known.index, known.usb.product, known.usb.serial)
        assert node.place == known.place or (known.usb.serial is not None and not identity.has_twin)
