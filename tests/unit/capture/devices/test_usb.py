from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edged.capture.devices.nodes import VideoNode, video_nodes
from edged.capture.devices.usb import USBDEVFS_RESET, reset_usb
from edged.errors import SourceDenied, SourceError, SourceLost, SourceNotFound, SourceUnreadable
from edged.testing.sysfs import FakeMachine
from tests.unit.capture.clips import as_nobody

HEADER = Path("/usr/include/linux/usbdevice_fs.h")


def refusing(number: int) -> Callable[[int, int], object]:
    def ioctl(file: int, request: int) -> object:
        raise OSError(number, os.strerror(number))

    return ioctl


@pytest.fixture
def node(machine: FakeMachine) -> VideoNode:
    machine.plug_usb(port="1-1")
    machine.plug_usb(port="2-3")
    return video_nodes(machine.root)[2]


def test_the_request_is_that_of_the_kernels_header(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if not HEADER.exists() or compiler is None:
        pytest.skip("needs the kernel's headers and a C compiler")
    program = tmp_path / "request.c"
    program.write_text(
        "#include <stdio.h>\n#include <sys/ioctl.h>\n#include <linux/usbdevice_fs.h>\n"
        'int main(void) { printf("%lu", (unsigned long)USBDEVFS_RESET); return 0; }\n'
    )
    subprocess.run([compiler, "-o", str(tmp_path / "request"), str(program)], check=True)
    told = subprocess.run([str(tmp_path / "request")], capture_output=True, text=True, check=True)
    assert int(told.stdout) == USBDEVFS_RESET


def test_the_reset_is_sent_to_the_device_that_sysfs_names(machine: FakeMachine, node: VideoNode) -> None:
    sent = []
    reset_usb(
        node,
        root=machine.root,
        ioctl=lambda file, request: sent.append((Path(f"/proc/self/fd/{file}").readlink(), request)),
    )
    assert sent == [(machine.dev / "bus/usb/002/003", USBDEVFS_RESET)]


def test_a_camera_of_the_board_cannot_be_reset(machine: FakeMachine) -> None:
    machine.plug_platform("unicam.0")
    with pytest.raises(SourceUnreadable, match=r"no USB camera \(unicam\.0\)"):
        reset_usb(video_nodes(machine.root)[0], root=machine.root)


def test_who_may_not_is_told_which_rule_lets_them(world_readable: FakeMachine) -> None:
    world_readable.plug_usb(vendor="1bcf")
    node = video_nodes(world_readable.root)[0]
    (world_readable.dev / "bus/usb/001/002").chmod(0o000)
    with as_nobody(), pytest.raises(SourceDenied, match="this user may not write") as caught:
        reset_usb(node, root=world_readable.root)
    assert 'ATTR{idVendor}=="1bcf", GROUP="video"' in caught.value.hint


def test_a_device_that_is_gone_is_not_found(machine: FakeMachine, node: VideoNode) -> None:
    (machine.dev / "bus/usb/002/003").unlink()
    with pytest.raises(SourceNotFound, match="there is no"):
        reset_usb(node, root=machine.root)


def test_the_real_kernel_refuses_a_reset_of_what_is_no_usb_device(machine: FakeMachine, node: VideoNode) -> None:
    with pytest.raises(SourceUnreadable, match="Inappropriate ioctl"):
        reset_usb(node, root=machine.root)


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENODEV, SourceLost), (errno.EPERM, SourceDenied), (errno.EIO, SourceUnreadable)]
)
def test_each_refusal_has_its_words_and_leaves_no_open_file(
    machine: FakeMachine, node: VideoNode, number: int, kind: type[SourceError]
) -> None:
    before = {file.name for file in Path("/proc/self/fd").iterdir()}
    with pytest.raises(kind):
        reset_usb(node, root=machine.root, ioctl=refusing(number))
    assert {file.name for file in Path("/proc/self/fd").iterdir()} == before
