from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from edged.domain.frame import BgrImage
from edged.errors import EdgedError
from edged.imaging.video_writer import VideoWriter
from tests.unit.imaging.scenes import grey


def played(path: Path) -> list[tuple[float, BgrImage]]:
    with av.open(str(path)) as container:
        return [
            (float(frame.time), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            for frame in container.decode(video=0)
        ]


def test_every_frame_is_there_at_its_true_time(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.9, 1.0]
    with VideoWriter(tmp_path / "out.mp4", fps=10) as writer:
        for number, at in enumerate(times):
            writer.write(np.full((48, 64, 3), 40 * number, np.uint8), 5000.0 + at)
    frames = played(tmp_path / "out.mp4")
    assert [at for at, _ in frames] == pytest.approx(times, abs=1e-3)
    assert [round(image.mean() / 40) for _, image in frames] == [0, 1, 2, 3, 4]


def test_colours_survive(tmp_path: Path) -> None:
    image = grey(64, 48)
    image[:] = (200, 60, 30)
    with VideoWriter(tmp_path / "out.mp4") as writer:
        writer.write(image, 0.0)
    assert np.abs(played(tmp_path / "out.mp4")[0][1].astype(int) - image).max() <= 8


@pytest.mark.parametrize("size", [(1, 1), (4097, 33), (65, 47), (64, 48)])
def test_odd_sizes_are_made_even(tmp_path: Path, size: tuple[int, int]) -> None:
    with VideoWriter(tmp_path / "out.mp4") as writer:
        for number in range(3):
            writer.write(grey(*size), number / 25)
    frames = played(tmp_path / "out.mp4")
    assert len(frames) == 3
    assert frames[0][1].shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)


@pytest.mark.parametrize(
    ("size", "written"), [((20000, 1), (8192, 2)), ((3, 20001), (2, 8192)), ((16400, 400), (8192, 200))]
)
def test_panoramas_are_scaled_down_to_what_encoders_take(
    tmp_path: Path, size: tuple[int, int], written: tuple[int, int]
) -> None:
    with VideoWriter(tmp_path / "out.mp4") as writer:
        writer.write(np.full((size[1], size[0], 3), 90, np.uint8), 0.0)
    ((_, image),) = played(tmp_path / "out.mp4")
    assert image.shape == (written[1], written[0], 3)
    assert image.max() > 80


def test_frames_of_another_size_are_fitted_in(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4") as writer:
        writer.write(grey(64, 48), 0.0)
        writer.write(grey(300, 20), 0.1)
        writer.write(grey(5, 5), 0.2)
    assert [image.shape for _, image in played(tmp_path / "out.mp4")] == [(48, 64, 3)] * 3


def test_times_that_stand_still_or_go_back_still_give_every_frame(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4") as writer:
        for at in (0.0, 0.0, 0.2, 0.1):
            writer.write(grey(), at)
    times = [at for at, _ in played(tmp_path / "out.mp4")]
    assert len(times) == 4
    assert times == sorted(set(times))


def test_the_file_is_finished_also_when_the_work_fails(tmp_path: Path) -> None:
    def two_frames_and_an_interrupt() -> None:
        with VideoWriter(tmp_path / "out.mp4") as writer:
            writer.write(grey(), 0.0)
            writer.write(grey(), 0.1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        two_frames_and_an_interrupt()
    assert len(played(tmp_path / "out.mp4")) == 2


def test_no_frames_no_file_and_closing_twice_is_harmless(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "out.mp4")
    writer.close()
    writer.close()
    assert not (tmp_path / "out.mp4").exists()


def test_a_missing_folder_is_an_error_that_says_how_to_make_it(tmp_path: Path) -> None:
    with (
        pytest.raises(EdgedError, match=r"out.mp4 cannot be written") as caught,
        VideoWriter(tmp_path / "gone away" / "out.mp4") as writer,
    ):
        writer.write(grey(), 0.0)
    assert f"mkdir -p '{tmp_path / 'gone away'}'" in caught.value.hint


def test_a_full_disk_is_an_error_that_says_so() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)

    def twenty_frames() -> None:
        with VideoWriter(Path("/dev/full")) as writer:
            for number in range(20):
                writer.write(np.roll(noise, number * 7, axis=1), number / 25)

    with pytest.raises(EdgedError, match="/dev/full cannot be written") as caught:
        twenty_frames()
    assert "disk is full" in caught.value.hint


def test_a_name_that_ffmpeg_would_read_as_an_address_is_only_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with VideoWriter(Path("udp:x.mp4")) as writer:
        writer.write(grey(), 0.0)
    assert len(list(tmp_path.iterdir())) == 1
