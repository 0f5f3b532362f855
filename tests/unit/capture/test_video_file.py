from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from edged.capture.limits import MAX_PIXELS
from edged.capture.video_file import VideoFileSource
from edged.domain.frame import BgrImage, Frame
from edged.errors import SourceDenied, SourceError, SourceNotFound, SourceUnreadable
from edged.ports import EndOfStream
from edged.testing.clock import FakeClock
from tests.unit.capture.clips import as_nobody, damage_packet, make_audio, make_clip, number_of


def source(path: Path) -> VideoFileSource:
    return VideoFileSource(path, clock=FakeClock(), in_real_time=False)


@contextmanager
def playing(path: Path) -> Iterator[VideoFileSource]:
    opened = source(path)
    opened.open()
    yield opened
    opened.close()


def read_all(opened: VideoFileSource) -> list[Frame]:
    frames: list[Frame] = []
    while True:
        try:
            frame = opened.read(1.0)
        except EndOfStream:
            return frames
        assert frame is not None
        frames.append(frame)


def assert_refused(path: Path, error: type[SourceError], words: str) -> None:
    refused = source(path)
    with pytest.raises(error, match=words) as caught:
        refused.open()
    assert str(path) in caught.value.message
    assert caught.value.hint
    with pytest.raises(RuntimeError):
        refused.read(1.0)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    assert_refused(tmp_path / "gone.mp4", SourceNotFound, "nothing at")


def test_a_path_through_a_file_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_refused(tmp_path / "file" / "clip.mp4", SourceNotFound, "nothing at")


def test_a_file_that_this_user_may_not_read_is_denied(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4")
    path.chmod(0)
    with as_nobody():
        assert_refused(path, SourceDenied, "may not be opened")


def test_an_empty_file_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    assert_refused(path, SourceUnreadable, "is empty")


def test_a_folder_with_the_name_of_a_video_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "folder.mp4"
    path.mkdir()
    assert_refused(path, SourceUnreadable, "is a folder")


def test_a_pipe_is_refused_at_once_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    assert_refused(path, SourceUnreadable, "not a regular file")


@pytest.mark.parametrize("text", ["hello\n", "just some words, line after line\n" * 500, "\x00" * 5000])
def test_a_text_file_with_the_name_of_a_video_is_unreadable(tmp_path: Path, text: str) -> None:
    path = tmp_path / "text.mp4"
    path.write_text(text)
    assert_refused(path, SourceUnreadable, "no video")


def test_a_playlist_does_not_send_us_to_the_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        playlist = tmp_path / "list.m3u8"  # FFmpeg believes playlists by this name only
        address = f"http://127.0.0.1:{server.getsockname()[1]}/clip.ts"
        playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n")
        assert_refused(playlist, SourceUnreadable, "no video")
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_file_with_sound_only_is_unreadable(tmp_path: Path) -> None:
    assert_refused(make_audio(tmp_path / "sound.mp4"), SourceUnreadable, "no video stream")


def test_the_picture_on_the_cover_of_a_sound_file_is_no_video(tmp_path: Path) -> None:
    assert_refused(make_audio(tmp_path / "sound.mp4", cover=True), SourceUnreadable, "no video stream")


def test_a_clip_without_its_index_is_unreadable(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov")])
    assert_refused(path, SourceUnreadable, "no video")


@pytest.mark.slow
def test_a_picture_too_large_for_a_small_box_is_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "large.avi", frames=1, size=(8192, 8192), codec="mjpeg", pix_fmt="yuvj420p")
    assert MAX_PIXELS < 8192 * 8192
    assert_refused(path, SourceUnreadable, "not one of its frames")


@pytest.mark.parametrize("name", ["one.mp4", "one.avi", "one.mkv"])
def test_a_video_of_one_frame_gives_one_frame(tmp_path: Path, name: str) -> None:
    with playing(make_clip(tmp_path / name, frames=1)) as opened:
        assert [number_of(frame.image()) for frame in read_all(opened)] == [0]


@pytest.mark.parametrize("name", ["half.avi", "half.mkv", "half.ts"])
def test_a_clip_cut_in_the_middle_plays_up_to_the_cut(tmp_path: Path, name: str) -> None:
    path = make_clip(tmp_path / name, frames=20, options={"g": "1"})
    data = path.read_bytes()
    begin, end = max(data.find(b"movi"), 0), data.find(b"idx1")
    path.write_bytes(data[: begin + (end % len(data) - begin) * 2 // 3])
    with playing(path) as opened:
        numbers = [number_of(frame.image()) for frame in read_all(opened)]
    assert 5 <= len(numbers) < 20
    assert numbers == list(range(len(numbers)))


def test_a_cut_clip_with_its_index_in_front_plays_up_to_the_cut(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", frames=20, container_options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[:-600])
    with playing(path) as opened:
        assert opened.frame_count() == 20
        numbers = [number_of(frame.image()) for frame in read_all(opened)]
    assert numbers == list(range(len(numbers)))
    assert 0 < len(numbers) < 20


def test_damaged_packets_are_counted_and_passed_over(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.avi", frames=10, options={"g": "1"})
    damage_packet(path, 3)
    damage_packet(path, 7)
    with playing(path) as opened:
        frames = read_all(opened)
    assert [number_of(frame.image()) for frame in frames] == [0, 1, 2, 4, 5, 6, 8, 9]
    assert [frame.seq for frame in frames] == [0, 1, 2, 4, 5, 6, 8, 9]
    assert opened.stats.corrupt == 2
    assert frames[3].captured_at - frames[2].captured_at == pytest.approx(0.2)


def test_at_its_end_a_damaged_recording_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = make_clip(tmp_path / "clip.avi", frames=10, options={"g": "1"})
    damage_packet(path, 3)
    damage_packet(path, 7)
    with playing(path) as opened:
        opened.read(1.0)
        assert caplog.messages == []
        read_all(opened)
    assert caplog.messages == [f"{path} is damaged: 2 of its frames could not be decoded"]


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("cut.mkv", {}, r"ends early: after 1\.\d of 2\.0 s"),
        ("cut.mp4", {"movflags": "faststart"}, r"ends early: after \d+ of 20 frames"),
    ],
)
def test_a_recording_that_was_cut_off_is_told_where_its_header_says_how_long_it_was(
    tmp_path: Path, name: str, options: dict[str, str], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = make_clip(tmp_path / name, frames=20, options={"g": "1"}, container_options=options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 7 // 10])
    with playing(path) as opened:
        read_all(opened)
    assert re.search(told, caplog.text)


def test_an_avi_that_lost_its_index_is_told_by_the_frames_that_its_header_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = make_clip(tmp_path / "cut.avi", frames=20, options={"g": "1"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])
    with playing(path) as opened:
        read_all(opened)
    assert re.search(r"ends early: after 1\d of 20 frames", caplog.text)


@pytest.mark.parametrize("name", ["whole.avi", "whole.mkv", "whole.mp4", "whole.ts", "whole.webm"])
def test_a_whole_recording_ends_without_a_word(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    codec = "libvpx-vp9" if name.endswith("webm") else "mpeg4"
    path = make_clip(tmp_path / name, frames=4, codec=codec, stamps=[30, 31, 32, 400])
    with playing(path) as opened:
        assert len(read_all(opened)) == 4
    assert caplog.messages == []


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (4097, 33), (33, 4097), (101, 33)])
@pytest.mark.parametrize("pix_fmt", ["bgr0", "yuv420p", "gray"])
def test_odd_sizes_play(tmp_path: Path, size: tuple[int, int], pix_fmt: str) -> None:
    with playing(make_clip(tmp_path / "odd.mkv", frames=2, size=size, codec="ffv1", pix_fmt=pix_fmt)) as opened:
        for frame in read_all(opened):
            assert frame.image().shape == (size[1], size[0], 3)
            assert frame.image().flags.c_contiguous
            assert number_of(frame.image()) == frame.seq


def _colours(seq: int, width_px: int, height_px: int) -> BgrImage:
    image = np.empty((height_px, width_px, 3), np.uint8)
    image[:, : width_px // 2] = (200, 60, 30)
    image[:, width_px // 2 :] = (20, 90, 220)
    return image


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p10le", "yuva420p", "bgra", "rgb48le"])
def test_colours_come_through_every_pixel_format(tmp_path: Path, pix_fmt: str) -> None:
    path = make_clip(tmp_path / "c.mkv", frames=1, codec="ffv1", pix_fmt=pix_fmt, picture=_colours)
    with playing(path) as opened:
        image = read_all(opened)[0].image().astype(int)
    assert abs(image - _colours(0, 64, 48)).max() <= 4


def test_grey_video_becomes_three_equal_channels(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "grey.mkv", frames=1, codec="ffv1", pix_fmt="gray", picture=_colours)
    with playing(path) as opened:
        image = read_all(opened)[0].image()
    assert np.array_equal(image[..., 0], image[..., 2])
    expected = _colours(0, 64, 48) @ np.array([0.114, 0.587, 0.299])
    assert abs(image[..., 0] - expected).max() <= 2


def test_the_full_range_of_motion_jpeg_is_respected(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "c.avi", frames=1, codec="mjpeg", pix_fmt="yuvj420p", picture=_colours)
    with playing(path) as opened:
        image = read_all(opened)[0].image().astype(int)
    assert abs(image[:, 8:24] - _colours(0, 64, 48)[:, 8:24]).max() <= 6


def test_a_rotated_recording_comes_upright(tmp_path: Path) -> None:
    def corner(seq: int, width_px: int, height_px: int) -> BgrImage:
        image = np.zeros((height_px, width_px, 3), np.uint8)
        image[: height_px // 2, : width_px // 2] = 255
        return image

    path = make_clip(
        tmp_path / "turned.mp4", frames=2, picture=corner, prepare=lambda stream: stream.set_display_rotation(90)
    )
    with playing(path) as opened:
        frame = read_all(opened)[0]
    assert (frame.width_px, frame.height_px) == (48, 64)
    assert frame.part(0, 32, 20, 64)[16, 12].min() > 200
    image = frame.image()
    assert image.shape == (64, 48, 3)
    assert image[48, 12].min() > 200  # the top left corner, a quarter turn anticlockwise, is bottom left
    assert image[16, 12].max() < 50


def test_uneven_time_stamps_are_kept(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "uneven.mkv", frames=4, stamps=[0, 1, 5, 6])
    with playing(path) as opened:
        times = [frame.captured_at - FakeClock().monotonic() for frame in read_all(opened)]
    assert times == pytest.approx([0, 0.1, 0.5, 0.6])


def test_a_recording_whose_time_begins_late_begins_at_open(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "late.ts", frames=20, stamps=range(900, 920))
    with playing(path) as opened:
        times = [frame.captured_at - FakeClock().monotonic() for frame in read_all(opened)]
    assert times == pytest.approx([seq / 10 for seq in range(20)])


def test_raw_pictures_without_time_stamps_are_spaced_by_the_nominal_rate(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "raw.m4v", frames=5, fps=10)
    with playing(path) as opened:
        times = [frame.captured_at for frame in read_all(opened)]
    assert len(times) == 5
    assert np.all(np.diff(times) > 0)


def test_pictures_that_nobody_looks_at_are_not_converted(tmp_path: Path) -> None:
    with playing(make_clip(tmp_path / "clip.mp4")) as opened:
        frame = read_all(opened)[3]
    assert frame._image is None
    assert number_of(frame.image()) == 3


def test_a_name_that_ffmpeg_would_read_as_a_command_is_only_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clip(tmp_path / "clip.avi").rename(tmp_path / "concat:a|b %03d.avi")
    monkeypatch.chdir(tmp_path)
    with playing(Path("concat:a|b %03d.avi")) as opened:
        assert len(read_all(opened)) == 10


def test_a_header_that_claims_too_much_gives_the_frames_there_are(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.avi", frames=10)
    data = bytearray(path.read_bytes())
    length_at = data.index(b"strh") + 8 + 32
    assert data[length_at : length_at + 4] == (10).to_bytes(4, "little")
    data[length_at : length_at + 4] = (12).to_bytes(4, "little")
    path.write_bytes(data)
    with playing(path) as opened:
        assert opened.frame_count() == 12
        assert len(read_all(opened)) == 10


def test_an_absurd_number_of_frames_is_not_believed(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.avi", frames=10)
    data = bytearray(path.read_bytes())
    length_at = data.index(b"strh") + 8 + 32
    data[length_at : length_at + 4] = (2_000_000_000).to_bytes(4, "little")
    path.write_bytes(data)
    with playing(path) as opened:
        assert opened.frame_count() is None


@pytest.mark.parametrize(
    ("name", "frames", "claimed", "size"),
    [("vtest.avi", 795, 795, (768, 576)), ("traffic_bgs_video02.avi", None, None, (320, 240))],
)
def test_real_recordings_play_to_their_end(
    shared_dir: Path, name: str, frames: int | None, claimed: int | None, size: tuple[int, int]
) -> None:
    with playing(shared_dir / "videos" / name) as opened:
        played = read_all(opened)
        count = opened.frame_count()
    assert count is not None
    assert len(played) == (frames or count - 2)
    assert count == (claimed or count)
    assert (played[0].width_px, played[0].height_px) == size
    assert np.all(np.diff([frame.captured_at for frame in played]) > 0)
    assert opened.stats.corrupt == 0
