"""The kernel that never was answers as the real one does; the words are those of the V4L2 documentation."""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from edged.capture.v4l2 import abi, structures
from edged.capture.v4l2.kernel import POLLERR, POLLIN
from tests.contracts.cameras import Setup, fake, real

COUNT = 4


class Opened:
    """An open camera of one plane."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self.fd = setup.kernel.open(setup.path)

    def ask(self, request: int, argument: Any) -> Any:
        self._setup.kernel.ioctl(self.fd, request, argument)
        return argument

    def refuses(self, request: int, argument: Any) -> int:
        """Return the error of a request that must fail."""
        with pytest.raises(OSError) as caught:  # noqa: PT011  the number is what the test asks for
            self.ask(request, argument)
        assert caught.value.errno is not None
        return caught.value.errno

    def form(self) -> Any:
        return structures.Format(type=abi.BUF_TYPE_VIDEO_CAPTURE)

    def buffer(self, index: int = 0) -> Any:
        return structures.Buffer(index=index, type=abi.BUF_TYPE_VIDEO_CAPTURE, memory=abi.MEMORY_MMAP)

    def request_buffers(self, count: int) -> Any:
        return structures.RequestBuffers(count=count, type=abi.BUF_TYPE_VIDEO_CAPTURE, memory=abi.MEMORY_MMAP)

    def start(self) -> int:
        """Get buffers, queue them all and stream; return how many there are."""
        count: int = self.ask(abi.REQBUFS, self.request_buffers(COUNT)).count
        self.stream(count)
        return count

    def stream(self, count: int) -> None:
        for index in range(count):
            self.ask(abi.QBUF, self.buffer(index))
        self.ask(abi.STREAMON, _TYPE)

    def frame(self) -> Any:
        events = self.poll(5000)
        assert events == POLLIN
        return self.ask(abi.DQBUF, self.buffer())

    def poll(self, timeout_ms: float) -> int:
        events = self._setup.kernel.poller(self.fd).poll(timeout_ms)
        return events[0][1] if events else 0


_TYPE = ctypes.c_int32(abi.BUF_TYPE_VIDEO_CAPTURE)


@pytest.fixture(params=[lambda: fake("YUYV"), real], ids=["fake", "real"])
def setup(request: pytest.FixtureRequest) -> Setup:
    made: Setup = request.param()
    return made


@contextmanager
def opened(setup: Setup) -> Iterator[Opened]:
    made = Opened(setup)
    try:
        yield made
    finally:
        setup.kernel.close(made.fd)


@pytest.fixture
def camera(setup: Setup) -> Iterator[Opened]:
    with opened(setup) as made:
        yield made


def test_it_says_that_it_is_a_camera(camera: Opened) -> None:
    capability = camera.ask(abi.QUERYCAP, structures.Capability())
    assert capability.capabilities & abi.CAP_DEVICE_CAPS
    assert capability.device_caps & abi.CAP_VIDEO_CAPTURE
    assert capability.device_caps & abi.CAP_STREAMING
    assert capability.driver


def test_an_unknown_request_is_not_known(camera: Opened) -> None:
    assert camera.refuses(abi.request_number(3, 200, structures.Capability), structures.Capability()) == errno.ENOTTY


def test_lists_end_with_einval(camera: Opened) -> None:
    description = camera.ask(abi.ENUM_FMT, structures.FormatDescription(type=abi.BUF_TYPE_VIDEO_CAPTURE))
    assert len(abi.fourcc(description.pixelformat)) == 4
    assert camera.refuses(abi.ENUM_FMT, structures.FormatDescription(index=999, type=1)) == errno.EINVAL
    where = {"pixel_format": description.pixelformat}
    size = camera.ask(abi.ENUM_FRAMESIZES, structures.FrameSize(**where))
    assert size.type == abi.FRMSIZE_TYPE_DISCRETE
    assert camera.refuses(abi.ENUM_FRAMESIZES, structures.FrameSize(index=999, **where)) == errno.EINVAL
    where |= {"width": size.discrete.width, "height": size.discrete.height}
    interval = camera.ask(abi.ENUM_FRAMEINTERVALS, structures.FrameInterval(**where))
    assert interval.discrete.denominator > 0
    assert camera.refuses(abi.ENUM_FRAMEINTERVALS, structures.FrameInterval(index=999, **where)) == errno.EINVAL
    assert (
        camera.refuses(abi.QUERYCTRL, structures.QueryControl(id=abi.CTRL_FLAG_NEXT_CTRL | 0xFFF_FFFF)) == errno.EINVAL
    )


def test_another_type_of_buffer_is_refused(camera: Opened) -> None:
    other = structures.Format(type=abi.BUF_TYPE_VIDEO_CAPTURE_MPLANE)
    assert camera.refuses(abi.S_FMT, other) in (errno.EINVAL, errno.ENOTTY)


def test_a_format_that_it_does_not_have_is_answered_by_one_that_it_has(camera: Opened) -> None:
    form = camera.form()
    form.pix.pixelformat, form.pix.width, form.pix.height = abi.fourcc_code("QQQQ"), 1, 1
    pix = camera.ask(abi.S_FMT, form).pix
    assert abi.fourcc(pix.pixelformat) != "QQQQ"
    assert pix.width > 1
    assert pix.sizeimage >= pix.bytesperline * pix.height > 0
    now = camera.ask(abi.G_FMT, camera.form()).pix
    assert (now.pixelformat, now.width, now.height) == (pix.pixelformat, pix.width, pix.height)


def test_a_rate_that_it_does_not_have_is_answered_by_one_that_it_has(camera: Opened) -> None:
    parm = structures.StreamParm(type=abi.BUF_TYPE_VIDEO_CAPTURE)
    parm.capture.timeperframe.numerator, parm.capture.timeperframe.denominator = 1, 100_000
    interval = camera.ask(abi.S_PARM, parm).capture.timeperframe
    assert 0 < interval.denominator / interval.numerator < 100_000


def test_frames_come_whole_numbered_and_stamped_in_the_order_of_the_buffers(camera: Opened, setup: Setup) -> None:
    size = camera.ask(abi.G_FMT, camera.form()).pix.sizeimage
    count = camera.start()
    frames = []
    for _ in range(count):
        frames.append(frame := camera.frame())
        assert frame.bytesused == size
        assert frame.flags & abi.BUF_FLAG_TIMESTAMP_MASK == abi.BUF_FLAG_TIMESTAMP_MONOTONIC
        assert abs(frame.tv_sec + frame.tv_usec * 1e-6 - setup.clock.monotonic()) < 1.0
    assert [frame.index for frame in frames] == list(range(count))
    sequences = [frame.sequence for frame in frames]
    assert sequences == sorted(sequences)  # some drivers number the first two alike
    assert camera.poll(200) == 0  # all buffers are out
    assert camera.refuses(abi.DQBUF, camera.buffer()) == errno.EAGAIN
    camera.ask(abi.QBUF, camera.buffer(2))
    assert camera.frame().index == 2


def test_what_the_driver_writes_is_seen_in_the_map(camera: Opened, setup: Setup) -> None:
    count = camera.ask(abi.REQBUFS, camera.request_buffers(COUNT)).count
    place = camera.ask(abi.QUERYBUF, camera.buffer())
    memory = setup.kernel.mmap(camera.fd, place.length, place.offset)
    assert memory.shape == (place.length,)
    assert memory.max() == 0
    camera.stream(count)
    assert camera.frame().index == 0
    assert memory.max() > 0


def test_buffers_that_are_not_the_programs_cannot_be_queued(camera: Opened) -> None:
    count = camera.start()
    assert camera.refuses(abi.QBUF, camera.buffer(0)) == errno.EINVAL
    assert camera.refuses(abi.QBUF, camera.buffer(count)) == errno.EINVAL
    assert camera.refuses(abi.QUERYBUF, camera.buffer(count)) == errno.EINVAL


def test_before_it_streams_there_is_nothing_to_wait_for(camera: Opened) -> None:
    camera.ask(abi.REQBUFS, camera.request_buffers(COUNT))
    camera.ask(abi.QBUF, camera.buffer())
    assert camera.poll(0) == POLLERR
    assert camera.refuses(abi.DQBUF, camera.buffer()) == errno.EINVAL


def test_streaming_without_buffers_is_refused(camera: Opened) -> None:
    assert camera.refuses(abi.STREAMON, _TYPE) == errno.EINVAL


def test_after_the_end_of_the_stream_all_buffers_are_the_programs_again(camera: Opened) -> None:
    count = camera.start()
    camera.ask(abi.STREAMOFF, _TYPE)
    assert camera.refuses(abi.DQBUF, camera.buffer()) == errno.EINVAL
    camera.stream(count)
    camera.frame()


def test_one_program_has_the_buffers_and_others_may_only_look(camera: Opened, setup: Setup) -> None:
    camera.start()
    with opened(setup) as other:
        other.ask(abi.G_FMT, other.form())
        assert other.refuses(abi.REQBUFS, other.request_buffers(COUNT)) == errno.EBUSY
        form = other.ask(abi.G_FMT, other.form())
        form.pix.width += 16
        assert other.refuses(abi.S_FMT, form) == errno.EBUSY
        camera.ask(abi.STREAMOFF, _TYPE)
        camera.ask(abi.REQBUFS, camera.request_buffers(0))
        other.ask(abi.REQBUFS, other.request_buffers(COUNT))


def test_a_closed_file_is_closed(setup: Setup) -> None:
    with opened(setup) as camera:
        pass
    assert camera.refuses(abi.QUERYCAP, structures.Capability()) == errno.EBADF


def test_a_node_that_is_not_there_cannot_be_opened(setup: Setup) -> None:
    with pytest.raises(FileNotFoundError):
        setup.kernel.open(setup.path.with_name("video-that-never-was"))
