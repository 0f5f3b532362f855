from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import pytest

from edged.capture.formats import SUPPORTED
from edged.config.loader import check_tables, load_config, parse_config
from edged.config.schema import Config
from edged.config.schema.camera import PixelFormat
from edged.errors import ConfigError

CAMERA = '[[camera]]\nname = "yard"\nsource = "/dev/video0"\n'


def parse(text: str, folder: Path = Path("/etc/edged")) -> Config:
    return parse_config(text, name="edged.toml", folder=folder)


def complaint(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value


def mistakes(text: str) -> list[str]:
    return [line[4:] for line in complaint(text).message.splitlines() if line.startswith("  - ")]


def test_a_camera_with_a_name_and_a_source_is_a_whole_configuration() -> None:
    config = parse(CAMERA)
    assert config.camera[0].name == "yard"
    assert config.camera[0].is_device
    assert config.scheduler.every == 1


def test_a_configuration_cannot_be_changed_after_loading() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse(CAMERA).model.threads = 4


def test_relative_paths_count_from_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(
        'data_dir = "data"\n[model]\npath = "./mine"\n[[camera]]\nname = "a"\nsource = "clip.mp4"\n', encoding="utf-8"
    )
    config = load_config(file)
    assert config.data_dir == tmp_path / "data"
    assert config.model.path == str(tmp_path / "mine")
    assert config.camera[0].source == str(tmp_path / "clip.mp4")


def test_absolute_paths_stay_as_they_are() -> None:
    config = parse('data_dir = "/srv/edged"\n' + CAMERA)
    assert config.data_dir == Path("/srv/edged")
    assert config.camera[0].source == "/dev/video0"


def test_a_bare_number_is_the_number_of_a_camera() -> None:
    assert parse(CAMERA.replace("/dev/video0", "2")).camera[0].source == "/dev/video2"


def test_a_camera_can_be_asked_for_each_format_that_edged_reads_and_for_no_other() -> None:
    assert set(get_args(PixelFormat)) == set(SUPPORTED)


def test_a_model_without_a_slash_is_a_name_and_no_path() -> None:
    assert parse('[model]\npath = "picodet-s"\n' + CAMERA).model.path == "picodet-s"


def test_a_tilde_is_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert parse('data_dir = "~/edged"\n' + CAMERA).data_dir == Path("/home/ada/edged")


def test_the_status_file_lies_in_the_data_folder_unless_another_is_named() -> None:
    assert parse('data_dir = "/srv"\n' + CAMERA).status_dir == Path("/srv")
    assert parse('data_dir = "/srv"\nruntime_dir = "/run/edged"\n' + CAMERA).status_dir == Path("/run/edged")


def test_twelve_mistakes_are_listed_at_once_in_the_order_of_the_file() -> None:
    found = mistakes(
        """
datadir = "/srv"
every = 3
[model]
backend = "my engine"
threads = "2"
[tracker]
low_confidence = 0.9
high_confidence = 0.5
lost_after_s = -1
[schedule]
every = 2
[[camera]]
name = "Big Yard"
source = "ftp://192.168.1.7/stream"
[[camera]]
name = "yard"
source = "/dev/video0"
frame_timeout_s = 0
play = "realtime"
[[camera]]
name = "yard"
source = "clip.mp4"
"""
    )
    places = [mistake.split(":")[0] for mistake in found]
    assert places == [
        "datadir",
        "every",
        "model.backend",
        "model.threads",
        "tracker.low_confidence",
        "tracker.lost_after_s",
        "schedule",
        "camera[0].name",
        'camera[0].source (camera "Big Yard")',
        'camera[1].frame_timeout_s (camera "yard")',
        'camera[1].play (camera "yard")',
        "camera[2].name",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("frame_timeout_s = -3", '(camera "yard"): -3 is not a number from 0.1 to 600 (seconds)'),
        ("frame_timeout_s = nan", "nan is not a number from 0.1 to 600 (seconds)"),
        ("frame_timeout_s = true", "true is not a number from 0.1 to 600 (seconds)"),
        ("every = 1.5", "1.5 is not a whole number from 1 to 1000 (frames)"),
        ('every = "2"', '"2" is not a whole number from 1 to 1000 (frames)'),
        ('labels = ["person", 2]', 'camera[0].labels[1] (camera "yard"): 2 is not a text in quotes'),
        ('labels = "person"', '"person" is not a list of texts'),
        ("every = 0x" + "f" * 5000, "a huge number is not a whole number"),
        ("image_interval_s = 1979-05-27", "1979-05-27 is not a number from 0.001 to 86400 (seconds)"),
        ('play = "in_realtime"', 'did you mean "in_real_time"?'),
        ("frame_timout_s = 1", 'there is no such option; did you mean "frame_timeout_s"?'),
        ('format = "YUY2"', 'is not one of "MJPG", "JPEG", "YUYV"'),
        ('format = "yuyv"', 'did you mean "YUYV"?'),
        ("width_px = 8", "8 is not a whole number from 16 to 16384 (pixels)"),
        ("controls = 3", "3 is not a table"),
        ("ignore_motion = 3", "3 is not a list (lists of corners, 0..1)"),
        ("ignore_motion = [3]", 'ignore_motion[0] (camera "yard"): 3 is not a list'),
        ("ignore_motion = [[[0, 0], [nan, 1]]]", 'ignore_motion[0][1][0] (camera "yard"): nan is not a number'),
        ("ignore_motion = [[0, 0], [1, 0], [1, 1]]", "this is one area where a list of areas is wanted"),
        ("controls = { gain = 1.5 }", "gain must be a whole number, a text in quotes, true or false"),
        ("controls = { gain = 1.5, focus = 2, hue = [] }", "gain, hue must be a whole number, a text in quotes"),
        ("image_interval_s = 2", '"/dev/video0" is a camera, which takes no image_interval_s'),
        ('play = "in_real_time"', '"/dev/video0" is a camera, which takes no play'),
        ("retention_days = 3", "there is no such option; it belongs under [store]"),
    ],
)
def test_a_mistake_in_a_camera_says_where_what_and_how_to_mend_it(line: str, said: str) -> None:
    (mistake,) = mistakes(CAMERA + line)
    assert mistake.startswith("camera[0].")
    assert said in mistake


def test_a_triangle_is_an_area_to_ignore() -> None:
    (camera,) = parse(CAMERA + "ignore_motion = [[[0, 0], [1, 0], [0, 1]]]").camera
    assert camera.ignore_motion == [[[0, 0], [1, 0], [0, 1]]]


def test_every_mistake_in_the_areas_to_ignore_is_told_at_its_place() -> None:
    areas = "[[0, 0], [1, 0]], [[0, 0], [1, 1], [2, 3]], [[0, 0], [1, 0], [1, 1, 1], [0, 1, nan]], [], 3"
    assert [mistake.split(" (")[0] for mistake in mistakes(CAMERA + f"ignore_motion = [{areas}]")] == [
        "camera[0].ignore_motion[0]",
        "camera[0].ignore_motion[1][2]",
        "camera[0].ignore_motion[2][2]",
        "camera[0].ignore_motion[2][3][2]",
        "camera[0].ignore_motion[3]",
        "camera[0].ignore_motion[4]",
    ]


def test_a_camera_on_the_network_is_not_played_like_a_recording() -> None:
    camera = '[[camera]]\nname = "yard"\nsource = "rtsp://camera.lan/live"\n'
    assert [mistake.split(":")[0] for mistake in mistakes(camera + 'play = "in_real_time"\nimage_interval_s = 1')] == [
        'camera[0].play (camera "yard")',
        'camera[0].image_interval_s (camera "yard")',
    ]


def test_the_defaults_of_playing_may_be_written_out_for_a_camera() -> None:
    parse(CAMERA + 'play = "as_fast_as_possible"\nimage_interval_s = 0.1')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data_dir = 3\n" + CAMERA, "data_dir: 3 is not a path in quotes"),
        ('data_dir = "a\\u0000b"\n' + CAMERA, "a path cannot hold a NUL character"),
        ("[log]\n", "camera: there is none: give at least one [[camera]]"),
        ("camera = []\n", "camera: there is none: give at least one [[camera]]"),
        ('[camera]\nname = "a"\n', "write [[camera]], with two brackets"),
        ("camera = [1]\n", "camera[0]: 1 is not a table: write [[camera]]"),
        ('model = "mine"\n' + CAMERA, 'model: "mine" is not a table: write [model]'),
        ("[cameras]\n" + CAMERA, 'cameras: there is no such table; did you mean "camera"?'),
        (CAMERA + '[model]\ndata_dir = "x"', "data_dir: there is no such option; it belongs at the top of the file"),
        (
            "[model]\nconfidence = 0.4\n[tracker]\nlow_confidence = 0.3\n" + CAMERA,
            "0.4 is above tracker.low_confidence",
        ),
        (
            "[tracker]\nhigh_confidence = 0.6\nnew_track_confidence = 0.5\n" + CAMERA,
            "tracker.high_confidence: 0.6 is above tracker.new_track_confidence, 0.5",
        ),
        ("[thermal]\nwarn_c = 90\n" + CAMERA, "thermal.warn_c: warn_c, 90, must be below stop_c, 85"),
        ("[thermal]\nwarn_c = 0x" + "f" * 500 + "\n" + CAMERA, "thermal.warn_c: a huge number is not a number from 30"),
        ("[thermal]\nstop_c = 70.5\n" + CAMERA, "thermal.stop_c: warn_c, 75, must be below stop_c, 70.5"),
        (CAMERA + CAMERA.replace("yard", "gate"), "a device gives its frames to one reader only"),
        ('"odd key\\n" = 1\n' + CAMERA, '"odd key\\n": there is no such option'),
        (CAMERA * 65, "camera: there are too many"),
    ],
)
def test_a_mistake_in_the_file_says_where_what_and_how_to_mend_it(text: str, said: str) -> None:
    assert any(said in mistake for mistake in mistakes(text)), mistakes(text)


def test_a_name_in_another_encoding_on_the_command_line_is_told_what_to_do() -> None:
    camera = {"name": "demo", "source": os.fsdecode(b"caf\xe9.mp4")}
    with pytest.raises(ConfigError, match="holds bytes that are not UTF-8"):
        check_tables({"camera": [camera]}, name="the command line", folder=Path("/"))


def test_a_link_that_a_udev_rule_made_is_a_device() -> None:
    assert parse(CAMERA.replace("/dev/video0", "/dev/cam-yard")).camera[0].is_device


@pytest.mark.parametrize("same", ["0", "/dev/../dev/video0"])
def test_one_device_by_two_names_is_a_mistake(same: str) -> None:
    twice = CAMERA + CAMERA.replace("/dev/video0", same).replace("yard", "gate")
    assert any("camera[1].source" in mistake and "taken by camera[0]" in mistake for mistake in mistakes(twice))


@pytest.mark.skipif(not Path("/dev/fd").is_symlink(), reason="this system has no link in /dev")
def test_a_device_and_a_link_to_it_are_one_device() -> None:
    twice = CAMERA.replace("/dev/video0", "/dev/stdin") + CAMERA.replace("/dev/video0", "/dev/fd/0").replace(
        "yard", "gate"
    )
    assert any("taken by camera[0]" in mistake for mistake in mistakes(twice))


def test_a_device_with_a_nul_character_is_a_mistake() -> None:
    nul = CAMERA.replace("/dev/video0", "/dev/video\\u0000")
    assert any("cannot hold a NUL" in mistake for mistake in mistakes(nul + nul.replace("yard", "gate")))


def test_only_a_device_takes_a_mode_and_controls() -> None:
    clip = '[[camera]]\nname = "yard"\nsource = "clip.mp4"\n'
    (mistake,) = mistakes(clip + "fps = 25\n")
    assert mistake == 'camera[0].fps (camera "yard"): "clip.mp4" is no device below /dev/, and takes no fps'
    (mistake,) = mistakes(clip + "controls = { gain = 1 }\n")
    assert "takes no controls" in mistake


def test_a_rate_at_which_each_pause_between_frames_is_a_loss_is_a_mistake() -> None:
    (mistake,) = mistakes(CAMERA + "fps = 0.5\n")
    assert mistake.startswith('camera[0].fps (camera "yard"): 0.5 gives a frame every 2 s')
    assert "frame_timeout_s, 1.5 s" in mistake
    assert mistake.endswith("set frame_timeout_s = 4 or more")
    assert len(mistakes(CAMERA + "fps = 5\nframe_timeout_s = 0.3\n")) == 1
    assert parse(CAMERA + "fps = 0.5\nframe_timeout_s = 4\n").camera[0].fps == 0.5
    assert parse(CAMERA + "fps = 2\n").camera[0].frame_timeout_s == 1.5


@pytest.mark.parametrize("fps", [0.7, 0.3, 0.1, 1.3, 7, 15])
def test_the_time_out_that_is_proposed_is_accepted(fps: float) -> None:
    (mistake,) = mistakes(CAMERA + f"fps = {fps}\nframe_timeout_s = 0.1\n")
    enough = mistake.split("set frame_timeout_s = ")[1].split()[0]
    parse(CAMERA + f"fps = {fps}\nframe_timeout_s = {enough}\n")


@pytest.mark.parametrize("fps", ["0.0004", "0", "-5", "nan"])
def test_a_rate_below_a_frame_in_ten_seconds_is_one_mistake(fps: str) -> None:
    (mistake,) = mistakes(CAMERA + f"fps = {fps}\n")
    assert "is not a number from 0.1 to 1000 (frames a second)" in mistake


def test_a_mode_and_controls_of_a_camera_are_read() -> None:
    mode = 'format = "MJPG"\nwidth_px = 1280\nheight_px = 720\nfps = 15\n'
    camera = parse(CAMERA + mode + 'controls = { power_line_frequency = "50 Hz", gain = 3, autofocus = false }').camera[
        0
    ]
    assert (camera.format, camera.width_px, camera.height_px, camera.fps) == ("MJPG", 1280, 720, 15)
    assert camera.controls == {"power_line_frequency": "50 Hz", "gain": 3, "autofocus": False}


def test_two_files_may_feed_two_cameras_of_one_clip() -> None:
    clip = CAMERA.replace("/dev/video0", "clip.mp4")
    assert len(parse(clip + clip.replace("yard", "gate")).camera) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = yes\n", "edged.toml, line 2, column 5: Invalid value.\n    b = yes\n        ^"),
        ("a = 1\r\nb = yes\r\n", "line 2, column 5: Invalid value.\n    b = yes\n        ^"),
        ("a = 1\na = 2\n", "line 2, column"),
        ("a = [1,\n", "line 1, column 8: Invalid value.\n    a = [1,\n           ^"),
        ("x" * 500 + " = yes\n", "line 1, column 504: Invalid value.\n    " + "x" * 56 + " = yes\n" + " " * 63 + "^"),
        ("a = " + "9" * 5000, "a number of absurd length"),
        ("a = " + "[" * 100_000, "too deep to read"),
    ],
)
def test_a_syntax_error_shows_the_line_and_the_column(text: str, said: str) -> None:
    assert said in complaint(text).message


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_an_empty_file_is_called_empty(text: str) -> None:
    assert "is empty" in complaint(text).message


def test_a_missing_file_is_named_with_a_way_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no file .*edged\.toml") as caught:
        load_config(tmp_path / "edged.toml")
    assert "--example" in caught.value.hint


def test_a_folder_is_no_configuration_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        load_config(tmp_path)


def test_a_named_pipe_that_nobody_writes_to_is_called_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "edged.toml")
    with pytest.raises(ConfigError, match=r"edged\.toml is empty"):
        load_config(tmp_path / "edged.toml")


def test_a_pipe_is_read_until_whoever_writes_has_closed_it() -> None:
    reading, writing = os.pipe()  # as a shell makes one for <(…)
    with os.fdopen(reading), os.fdopen(writing, "w") as file, ThreadPoolExecutor() as reader:
        file.write(CAMERA[:10])
        file.flush()
        config = reader.submit(load_config, Path(f"/dev/fd/{reading}"))
        file.write(CAMERA[10:])
        file.close()
        assert config.result().camera[0].name == "yard"


def test_a_path_through_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be read: Not a directory"):
        load_config(tmp_path / "file" / "edged.toml")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a = 1\nb = '\xe4'\n", "not UTF-8 text: line 2 holds the byte 0xe4"),
        ("a = 1".encode("utf-16"), "UTF-16"),
        (b"#" * (1 << 20) + b"\n", "larger than 1 MiB"),
        (b"\x00\x01\x02", "line 1, column 1"),
    ],
)
def test_a_file_that_is_no_text_is_refused_in_words(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "edged.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert said in caught.value.message


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    file.write_bytes(b"\xef\xbb\xbf" + CAMERA.encode())
    assert load_config(file).camera[0].name == "yard"


def test_a_configuration_made_in_code_is_held_to_the_same_rules() -> None:
    camera = {"name": "yard", "source": "/dev/video0"}
    with pytest.raises(ValueError, match="every camera needs a name of its own"):
        Config.model_validate({"camera": [camera, camera]})
