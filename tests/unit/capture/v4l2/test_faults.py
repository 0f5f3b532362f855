"""Each fault has its own error, which says what to do."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from edged.capture.v4l2 import abi
from edged.capture.v4l2.source import V4l2Source
from edged.errors import (
    SourceBroken,
    SourceBusy,
    SourceDenied,
    SourceError,
    SourceLost,
    SourceNotACamera,
    SourceNotFound,
    SourceUnreadable,
)
from edged.testing.clock import FakeClock
from edged.testing.v4l2 import FakeKernel
from edged.testing.v4l2_camera import CAPTURE, M2M, META_CAPTURE, OUTPUT, STREAMING, FakeCamera
from tests.unit.capture.clips import as_nobody
from tests.unit.capture.v4l2.rig import Rig, opened


def real(path: Path) -> V4l2Source:
    return V4l2Source(path, clock=FakeClock())


def test_a_missing_camera_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="video7"):
        real(tmp_path / "video7").open()


def test_a_file_is_no_camera(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    with pytest.raises(SourceUnreadable, match="not a device"):
        real(tmp_path / "video0").open()


def test_another_device_is_no_camera_and_is_closed_again() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with pytest.raises(SourceUnreadable, match="a device, but not a camera"):
            real(Path("/dev/null")).open()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_camera_that_this_user_may_not_open_is_denied(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    hidden.chmod(0)
    with as_nobody(), pytest.raises(SourceDenied, match="may not be opened") as caught:
        real(hidden / "video0").open()
    assert "group `video`" in caught.value.hint


@pytest.mark.parametrize(
    ("caps", "kind", "words"),
    [
        (OUTPUT | STREAMING, SourceNotACamera, "shows pictures and takes none"),
        (META_CAPTURE | STREAMING, SourceNotACamera, "gives data about pictures"),
        (M2M | STREAMING, SourceNotACamera, "converts pictures"),
        (STREAMING, SourceNotACamera, "takes no pictures"),
        (CAPTURE, SourceUnreadable, "without buffers"),
    ],
)
def test_a_node_that_is_no_camera_says_what_it_is(caps: int, kind: type[SourceError], words: str) -> None:
    rig = Rig()
    rig.camera.caps = caps
    rig.camera.shared_caps = CAPTURE  # another node of the same device takes pictures
    with pytest.raises(kind, match=words) as caught:
        rig.source.open()
    assert type(caught.value) is kind
    assert rig.kernel.open_files == 0


def test_a_camera_that_is_pulled_out_is_lost() -> None:
    rig = opened()
    rig.play(2)
    rig.camera.unplug()
    with pytest.raises(SourceLost, match="was unplugged"):
        rig.source.read(1.0)


def test_a_camera_that_is_gone_is_not_found_and_works_when_it_is_back() -> None:
    rig = opened()
    rig.camera.unplug()
    with pytest.raises(SourceNotFound):
        rig.source.open()
    rig.camera.plug_in()
    rig.source.open()
    assert rig.play(2) == [0, 1]


def test_a_node_whose_camera_is_gone_is_lost() -> None:
    rig = opened()
    rig.camera.unplug(node_stays=True)
    with pytest.raises(SourceLost):
        rig.source.open()


def test_a_fatal_error_of_the_driver_is_another_fault_than_an_unplugged_camera() -> None:
    rig = opened()
    rig.play(2)
    rig.queue.broken = True
    with pytest.raises(SourceBroken, match="is there, but its driver gave up"):
        rig.source.read(1.0)
    rig.source.open()
    assert rig.play(2) == [0, 1]


def test_an_error_that_the_driver_does_not_name_ends_the_read_too() -> None:
    rig = opened()
    rig.queue.broken = True
    for _ in range(5):
        rig.camera.refuse(abi.DQBUF, errno.EAGAIN)
    with pytest.raises(SourceBroken, match="error without a name"):
        rig.source.read(1.0)


@pytest.mark.parametrize(
    ("request_number", "number", "expected", "words"),
    [
        (abi.QUERYCAP, errno.ENODEV, SourceLost, "went away"),
        (abi.ENUM_FMT, errno.ENODEV, SourceLost, "unplugged"),
        (abi.S_FMT, errno.EINVAL, SourceUnreadable, "refused to take the format YUYV"),
        (abi.S_FMT, errno.EIO, SourceBroken, "gave up"),
        (abi.S_PARM, errno.EIO, SourceBroken, "gave up"),
        (abi.REQBUFS, errno.EINVAL, SourceUnreadable, "refused to give buffers"),
        (abi.REQBUFS, errno.ENOMEM, SourceUnreadable, "no memory"),
        (abi.QUERYBUF, errno.EINVAL, SourceUnreadable, "refused to give its buffers"),
        (abi.QBUF, errno.EINVAL, SourceUnreadable, "refused to start streaming"),
        (abi.STREAMON, errno.EINVAL, SourceUnreadable, "refused to start streaming"),
        (abi.STREAMON, errno.ENOSPC, SourceUnreadable, "USB bus"),
        (abi.STREAMON, errno.ENOLINK, SourceUnreadable, "not linked"),
        (abi.STREAMON, errno.EBUSY, SourceBusy, "in use"),
    ],
)
def test_what_the_driver_refuses_at_the_start_is_told_and_leaves_nothing_open(
    request_number: int, number: int, expected: type[SourceError], words: str
) -> None:
    rig = Rig()
    rig.camera.refuse(request_number, number)
    with pytest.raises(expected, match=words) as caught:
        rig.source.open()
    assert type(caught.value) is expected
    assert caught.value.hint
    assert (rig.kernel.open_files, rig.queue.mapped) == (0, 0)
    rig.source.open()  # it was refused once
    assert rig.play(2) == [0, 1]


@pytest.mark.parametrize(
    "number", [errno.EIO, errno.EPIPE, errno.EPROTO, errno.EILSEQ, errno.ETIME, errno.ETIMEDOUT, errno.EREMOTEIO]
)
@pytest.mark.parametrize("request_number", [abi.QUERYCAP, abi.ENUM_FMT, abi.S_FMT, abi.S_PARM, abi.STREAMON])
def test_a_wedged_camera_is_broken_whatever_it_fails_at(request_number: int, number: int) -> None:
    rig = Rig()
    rig.camera.refuse(request_number, number)
    with pytest.raises(SourceBroken, match="gave up") as caught:
        rig.source.open()
    assert "ribbon" not in caught.value.hint
    assert rig.kernel.open_files == 0


def test_a_camera_whose_device_cannot_be_opened_for_its_own_fault_is_broken() -> None:
    rig = Rig()
    rig.camera.open_error = errno.EIO
    with pytest.raises(SourceBroken, match="gave up"):
        rig.source.open()


def test_a_camera_that_another_program_reads_is_busy() -> None:
    rig = Rig()
    rig.camera.busy = True
    with pytest.raises(SourceBusy, match="/dev/video0 is in use"):
        rig.source.open()


def test_two_sources_do_not_share_a_camera() -> None:
    rig = opened()
    second = V4l2Source(Path("/dev/video0"), clock=rig.clock, kernel=rig.kernel)
    with pytest.raises(SourceBusy):
        second.open()
    assert rig.play(2) == [0, 1]
    rig.source.close()
    second.open()
    second.close()


def test_a_fault_while_streaming_does_not_keep_the_camera_from_being_closed() -> None:
    rig = opened()
    rig.camera.refuse(abi.STREAMOFF, errno.ENODEV)
    rig.camera.refuse(abi.REQBUFS, errno.ENODEV)
    rig.source.close()
    assert (rig.kernel.open_files, rig.queue.mapped) == (0, 0)


def test_a_camera_that_came_back_under_another_number_is_opened_there() -> None:
    clock, elsewhere, places = FakeClock(), Path("/dev/video2"), [Path("/dev/video0")]
    kernel = FakeKernel({elsewhere: FakeCamera()}, clock=clock)
    source = V4l2Source(places[0], clock=clock, find=lambda: places[-1], kernel=kernel)
    with pytest.raises(SourceNotFound, match="/dev/video0"):
        source.open()
    places.append(elsewhere)
    source.open()
    frame = source.read(1.0)
    assert frame is not None
    frame.release()
    source.close()
