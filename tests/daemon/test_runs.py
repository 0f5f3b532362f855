"""Whole runs over recordings."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.daemon.conftest import Box, make_visits, passing_spots

pytestmark = pytest.mark.slow

CHANGING = ("event_id", "time", "wall_at", "at", "started_at", "boot_id", "run_id", "snapshot")


def lasting(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What must be the same in every run."""
    return [{key: value for key, value in event.items() if key not in CHANGING} for event in events]


def test_two_runs_as_fast_as_possible_are_identical(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"')
    first = box.run_config("--trace", "first.txt")
    one = box.events()
    second = box.run_config("--trace", "second.txt")
    both = box.events()

    assert (first.code, second.code) == (0, 0)
    trace = (box.folder / "first.txt").read_text()
    assert trace == (box.folder / "second.txt").read_text()
    assert len(trace.splitlines()) > 70
    assert [event["kind"] for event in one] == ["appeared", "left"] * 2
    assert lasting(both[len(one) :]) == lasting(one)
    assert all((box.data / event["snapshot"]).read_bytes().startswith(b"\xff\xd8") for event in both)


def test_every_third_frame_tells_the_same_of_slow_objects(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"')
    box.run_config()
    all_frames = box.events()
    box.configure(f'source = "{clip}"\nevery = 3', rest='[scheduler]\npolicy = "stride"')
    assert box.run_config().code == 0
    status = box.status()
    assert status is not None
    camera = status["cameras"][0]
    third = box.events()[len(all_frames) :]

    assert (camera["frames"], camera["detected"]) == (160, 54)
    assert [event["kind"] for event in third] == [event["kind"] for event in all_frames]
    for few, many in zip(third, all_frames, strict=True):
        assert few["entry_xy"] == pytest.approx(many["entry_xy"], abs=12)
        assert few["exit_xy"] is many["exit_xy"] is None or few["exit_xy"] == pytest.approx(many["exit_xy"], abs=12)


def test_in_real_time_what_comes_too_fast_is_skipped_and_counted(box: Box) -> None:
    clip = make_visits(box.folder / "fast.mp4", visits=25, fps=1000)
    box.configure(f'source = "{clip}"\nplay = "in_real_time"')
    assert box.run_config().code == 0
    status = box.status()
    assert status is not None
    camera = status["cameras"][0]
    assert camera["skipped"] > 0
    assert camera["frames"] + camera["skipped"] == 2000


def test_several_cameras_share_a_daemon_and_keep_their_events_apart(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"', f'source = "{clip}"\nevery = 2', f'source = "{clip}"\nlabels = []')
    ended = box.run_config("--trace", "t.txt")
    assert ended.code == 0
    events = box.events()
    for camera in ("cam0", "cam1", "cam2"):
        assert [event["kind"] for event in events if event["camera"] == camera] == ["appeared", "left"] * 2
        assert (box.folder / f"t-{camera}.txt").stat().st_size > 0


def test_pictures_come_at_their_interval(box: Box) -> None:
    folder = box.folder / "pictures"
    folder.mkdir()
    for seq in range(30):
        cv2.imwrite(str(folder / f"{seq}.png"), passing_spots(seq, 160, 128, every=80, step_px=1))
    box.configure('source = "pictures"\nimage_interval_s = 60', rest="[tracker]\nlost_after_s = 300")
    assert box.run_config().code == 0
    last = box.events()[-1]
    assert last["duration_s"] > 20 * 60


def test_a_demo_says_what_it_saw_and_where_its_files_are(box: Box, clip: Path) -> None:
    ended = box.run("demo", "--source", clip, "--model", "./spot", "--data", "out", "--trace", "t.txt")
    assert (ended.code, ended.complaints) == (0, "")
    assert "Appeared: 2 × person. 160 frames" in ended.out
    for name in ("out/annotated.mp4", "out/contact-sheet.jpg", "t.txt"):
        assert name in ended.out
        assert (box.folder / name).stat().st_size > 0


@pytest.mark.parametrize(("columns", "with_paths"), [(40, False), (80, False), (140, True)])
def test_a_demo_leaves_out_the_long_paths_where_they_would_cost_words(
    box: Box, clip: Path, columns: int, with_paths: bool
) -> None:
    demo = [sys.executable, "-m", "edged", "demo", "--source", clip, "--model", "./spot", "--data", "out"]
    process = box.start_program(["env", f"COLUMNS={columns}", *demo])
    out = box.end_of(process).out
    assert "…" not in out
    assert "person 1" in out
    assert (".jpg" in out.split("Appeared")[0]) == with_paths
    assert "out/snapshots\n" in out


def test_a_demo_that_is_stopped_does_not_call_its_recording_cut_off(box: Box, long_clip: Path) -> None:
    process = box.start("demo", "--source", long_clip, "--model", "./spot", "--data", "data")
    box.wait_for(process, lambda status: status["state"] == "running")
    process.send_signal(signal.SIGINT)
    ended = box.end_of(process)
    assert (ended.code, ended.complaints) == (0, "")
    assert "Appeared:" in ended.out
    assert "cut off" not in ended.out


def test_what_came_before_a_demos_first_picture_came_at_its_beginning(box: Box, clip: Path) -> None:
    (box.folder / "no.avi").write_bytes(b"no video")
    assert box.run("demo", "--source", "no.avi", "--model", "./spot", "--data", "out").code == 3
    ended = box.run("demo", "--source", clip, "--model", "./spot", "--data", "out")
    row = next(line.split() for line in ended.out.splitlines() if "restarted" in line)
    assert row[:2] == ["0.0", "s"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_demo_that_could_not_say_a_word_is_no_crash_to_the_next(box: Box, clip: Path) -> None:
    demo = ("demo", "--source", clip, "--model", "./spot", "--data", "out", "--no-pictures")
    with Path("/dev/full").open("w") as full:
        assert box.run(*demo, stdout=full).code == 7
    assert box.run(*demo).complaints == ""


def test_a_demo_does_not_write_over_what_it_watches(box: Box, clip: Path) -> None:
    (box.folder / "out").mkdir()
    annotated = box.folder / "out/annotated.mp4"
    annotated.write_bytes(clip.read_bytes())
    ended = box.run("demo", "--source", "out/../out/annotated.mp4", "--data", "out")
    assert ended.code == 2
    ended.told("annotated.mp4 is what the demo is about to write", "--data DIR")
    assert annotated.read_bytes() == clip.read_bytes()


def test_a_demo_does_not_point_to_the_pictures_of_an_earlier_one(box: Box, clip: Path) -> None:
    demo = ("demo", "--source", clip, "--model", "./spot", "--data", "out")
    assert "annotated.mp4" in box.run(*demo).out
    assert "annotated.mp4" not in box.run(*demo, "--no-pictures").out


def test_a_demo_says_how_to_see_the_events_of_a_folder_with_a_space_in_its_name(box: Box, clip: Path) -> None:
    ended = box.run("demo", "--source", clip, "--model", "./spot", "--data", "my out", "--no-pictures")
    assert "events --data 'my out'" in ended.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_replay_shows_its_tables_also_where_a_trace_met_a_full_disk(box: Box, clip: Path) -> None:
    (box.folder / "traces").mkdir()
    (box.folder / "traces/stride-2.txt").symlink_to("/dev/full")
    ended = box.run("replay", clip, "--model", "./spot", "--policy", "stride:2", "--traces", "traces")
    assert ended.code == 7
    assert "stride:2" in ended.out
    ended.told("stride-2.txt cannot be written: No space left")
    assert (box.folder / "traces/every-frame.txt").stat().st_size > 0


@pytest.mark.parametrize("command", ["events", "events --json", "status", "demo", "models list"])
def test_a_reader_that_has_seen_enough_is_no_failure(box: Box, clip: Path, command: str) -> None:
    box.configure(f'source = "{clip}"')
    box.run_config()
    arguments: list[object] = [*command.split()]
    if command == "demo":
        arguments += ["--source", clip, "--model", "./spot", "--data", "out", "--no-pictures"]
    elif command != "models list":
        arguments += ["--data", box.data]
    process = box.start(*arguments, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    ended = box.end_of(process)
    assert (ended.code, ended.complaints) == (0, "")
