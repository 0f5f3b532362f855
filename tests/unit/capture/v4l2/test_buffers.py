"""Frames lie in the driver's memory: they come back, once, to the run that they are of."""

from __future__ import annotations

import errno
import os
import queue
import threading
from pathlib import Path

import pytest

from edged.capture.v4l2 import abi
from edged.capture.v4l2.kernel import LinuxKernel
from edged.domain.frame import Frame
from edged.errors import SourceBroken, SourceLost, SourceUnreadable
from edged.testing.v4l2_camera import FakeCamera, FakeFormat
from edged.testing.v4l2_pictures import grey_of
from tests.unit.capture.v4l2.rig import Rig, opened

GREY = FakeFormat("GREY")


def test_a_held_frame_keeps_its_pixels_while_others_come_and_go() -> None:
    rig = opened(FakeCamera([GREY]))
    held = rig.read()
    rig.play(20)
    assert held.image().mean() == grey_of(0)
    assert rig.stats == (21, 0, 0, 0)


def test_two_held_frames_never_starve_the_driver() -> None:
    rig = opened()
    held = [rig.read(), rig.read()]
    for seq in range(2, 50):
        frame = rig.read()
        assert frame.seq == seq
        held.append(frame)
        held.pop(0).release()
    assert rig.stats == (50, 0, 0, 0)


def test_a_picture_that_was_looked_at_stays_after_its_frame_was_given_back() -> None:
    rig = opened(FakeCamera([FakeFormat("BGR3")]))
    frame = rig.read()
    image = frame.image()
    frame.release()
    rig.play(20)
    assert image.mean() == grey_of(0)


def test_a_frame_is_given_back_once() -> None:
    rig = opened()
    frame = rig.read()
    frame.release()
    frame.release()
    rig.play(10)
    assert rig.queue.wrong_requests == 0


def test_holding_every_frame_is_a_mistake_in_the_program_and_not_of_the_camera() -> None:
    rig = opened()
    held = [rig.read() for _ in range(5)]
    with pytest.raises(RuntimeError, match="5 frames of /dev/video0 are held"):
        rig.source.read(1.0)
    held[2].release()
    assert rig.read().seq > 4


def test_a_held_frame_outlives_the_source_and_its_memory_goes_with_it() -> None:
    rig = opened(FakeCamera([GREY]))
    rig.play(3)
    frame = rig.read()
    rig.source.close()
    assert (rig.kernel.open_files, rig.queue.mapped) == (0, 1)  # the one that the frame lies in
    assert frame.image_for(1, 1).mean() == grey_of(3)
    frame.release()
    assert rig.queue.mapped == 0


def test_a_frame_of_an_earlier_run_leaves_the_new_run_alone() -> None:
    rig = opened(FakeCamera([GREY]))
    old = [rig.read(), rig.read()]
    rig.source.open()
    fresh = [rig.read(), rig.read()]
    for frame in old:
        frame.release()
    rig.clock.advance(10.0)
    rig.play(1)
    assert [frame.image().mean() for frame in fresh] == [grey_of(0), grey_of(1)]
    assert rig.queue.wrong_requests == 0


def test_a_frame_in_several_planes_holds_them_all() -> None:
    rig = opened(FakeCamera([FakeFormat("YM12")], multiplanar=True))
    frame = rig.read()
    rig.source.close()
    assert rig.queue.mapped == 3
    frame.release()
    assert rig.queue.mapped == 0


def test_frames_may_be_given_back_by_another_thread_while_the_source_is_read_and_reopened() -> None:
    rig = opened(FakeCamera([FakeFormat("GREY", [(16, 16)])]))
    rig.queue.paints = False
    held: queue.Queue[Frame | None] = queue.Queue(maxsize=2)

    def give_back() -> None:
        while (frame := held.get(timeout=60)) is not None:
            frame.release()

    thread = threading.Thread(target=give_back)
    thread.start()
    for turn in range(2000):
        held.put(rig.read(), timeout=60)
        if turn % 20 == 19:
            rig.source.open()
    held.put(None)
    thread.join()
    rig.source.close()
    assert (rig.queue.wrong_requests, rig.kernel.open_files, rig.queue.mapped) == (0, 0, 0)
    assert rig.source.stats.frames == 2000


@pytest.mark.parametrize("granted", [2, 3])
def test_a_driver_with_few_buffers_gets_them_back_at_once(granted: int) -> None:
    camera = FakeCamera([GREY])
    camera.queue.buffers_max = granted
    rig = opened(camera)
    held = [rig.read() for _ in range(20)]
    assert [frame.image().mean() for frame in held] == [grey_of(seq) for seq in range(20)]
    rig.source.close()
    assert rig.queue.mapped == 0


def test_frames_of_a_driver_that_overwrites_them_are_copied() -> None:
    camera = FakeCamera([GREY])
    camera.driver = b"v4l2 loopback"
    rig = opened(camera)
    held = [rig.read() for _ in range(20)]
    assert [frame.image().mean() for frame in held] == [grey_of(seq) for seq in range(20)]


def test_a_driver_with_one_buffer_cannot_stream() -> None:
    rig = Rig()
    rig.queue.buffers_max = 1
    with pytest.raises(SourceUnreadable, match="only 1 buffers"):
        rig.source.open()
    assert rig.kernel.open_files == 0


def test_a_buffer_that_the_driver_does_not_take_back_is_told_by_the_next_read() -> None:
    rig = opened()
    frame = rig.read()
    rig.camera.refuse(abi.QBUF, errno.EIO)
    frame.release()  # the thread that detects has nothing to do with it
    with pytest.raises(SourceBroken):
        rig.source.read(1.0)


def test_a_frame_that_came_before_the_fault_is_still_given() -> None:
    rig = opened(FakeCamera([GREY]))
    for number in (0, errno.ENODEV, errno.ENODEV):  # the first DQBUF works
        rig.camera.refuse(abi.DQBUF, number)
    frame = rig.read()
    assert frame.image().mean() == grey_of(0)
    with pytest.raises(SourceLost):
        rig.source.read(1.0)


def test_a_fault_that_is_kept_holds_no_memory() -> None:
    rig = opened()
    rig.play(2)
    rig.camera.unplug()
    with pytest.raises(SourceLost) as caught:
        rig.source.read(1.0)
    rig.source.close()
    assert rig.queue.mapped == 0
    assert caught.value.__traceback__ is not None


def test_two_hundred_reopenings_leave_nothing_behind() -> None:
    rig = Rig()
    rig.queue.paints = False
    for _ in range(200):
        rig.source.open()
        frame = rig.read()
        rig.source.close()
        frame.release()
        assert (rig.kernel.open_files, rig.queue.mapped) == (0, 0)
    assert rig.kernel.opened == 200


def test_real_memory_is_unmapped_with_the_last_view_of_it(tmp_path: Path) -> None:
    file = tmp_path / "device"
    file.write_bytes(bytes(4096) + b"\x07" * 4096)

    def is_mapped() -> bool:
        return str(file) in Path("/proc/self/maps").read_text()

    kernel = LinuxKernel()
    fd = kernel.open(file)
    memory = kernel.mmap(fd, 4096, 4096)
    kernel.close(fd)
    view = memory[:100]
    del memory
    assert (int(view.max()), is_mapped()) == (7, True)
    del view
    assert not is_mapped()


def test_a_real_device_is_opened_so_that_nothing_waits_for_it_and_no_child_gets_it(tmp_path: Path) -> None:
    (tmp_path / "device").touch()
    kernel = LinuxKernel()
    fd = kernel.open(tmp_path / "device")
    assert (os.get_blocking(fd), os.get_inheritable(fd)) == (False, False)
    kernel.close(fd)
