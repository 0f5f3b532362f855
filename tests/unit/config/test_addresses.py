"""Cameras on the network in a configuration file, whose passwords are for nobody to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from edged.config.effective import effective
from edged.config.loader import parse_config
from edged.config.schema import CameraSection, Config
from edged.errors import ConfigError

SECRET = "s3cr3t"
ADDRESS = f"rtsp://admin:{SECRET}@camera.lan:8554/live?channel=1"


def parse(text: str) -> Config:
    return parse_config(text, name="edged.toml", folder=Path("/etc/edged"))


def camera(source: str, more: str = "") -> CameraSection:
    return parse(f'[[camera]]\nname = "yard"\nsource = "{source}"\n{more}').camera[0]


@pytest.mark.parametrize(
    "source",
    [
        ADDRESS,
        "rtsps://camera/live",
        "http://192.168.1.7/video.mjpg",
        "https://camera/",
        "tcp://camera:8888",
        "RTSP://camera",
        "rtsp://admin:${YARD}@camera/live",
    ],
)
def test_an_address_is_taken_as_it_is_written(source: str) -> None:
    assert camera(source).source == source


@pytest.mark.parametrize("source", ["ftp://camera/clip", "file:///clip.mp4", "rstp://camera/live"])
def test_an_address_of_another_kind_is_a_mistake_that_names_those_that_are_known(source: str) -> None:
    with pytest.raises(
        ConfigError, match=r"edged reads addresses that begin with rtsp://, rtsps://, http://, https://"
    ):
        camera(source)


@pytest.mark.parametrize(
    "source",
    [
        f"http:/admin:{SECRET}@camera/x",
        f"admin:{SECRET}@camera/x",
        f"rtsp//admin:{SECRET}@camera/x",
        f"rtsp:admin:{SECRET}@camera/x",
        f" admin:{SECRET}@camera/x",
        f"camera/x?pas={SECRET}",
    ],
)
def test_a_mistyped_address_is_a_mistake_and_no_file(source: str) -> None:
    with pytest.raises(ConfigError, match="looks like a network address; write rtsp://") as caught:
        camera(source)
    assert SECRET not in str(caught.value)


def test_a_mistyped_address_is_shown_but_for_its_password() -> None:
    with pytest.raises(ConfigError) as caught:
        camera(f"http:/admin:{SECRET}@camera/x")
    assert '"http:/admin:***@camera/x" cannot be used' in caught.value.message


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://admin:***@camera/",
        "rtsp://***:${YARD}@camera/",
        "rtsp://***@camera/",
        "http://camera/?user=admin&pwd=***",
        "http://camera/?pwd=***&channel=1",
        "rtsp://camera/user=admin_password=***/1",
    ],
)
def test_a_password_that_was_hidden_is_a_mistake_and_no_password(source: str) -> None:
    with pytest.raises(ConfigError, match=r"the password was hidden here: put it back, or use \$\{NAME\}"):
        camera(source)


@pytest.mark.parametrize("source", ["rtsp://admin:a***b@camera/", "rtsp://camera/***.sdp", "/srv/a:***@b"])
def test_stars_elsewhere_are_taken(source: str) -> None:
    assert camera(source).source == source


@pytest.mark.parametrize("name", ["CAM-1", "", " YARD", "YARD.1", "YARD"])
def test_a_secret_whose_name_cannot_be_one_is_a_mistake(name: str) -> None:
    end = "" if name == "YARD" else "}"
    with pytest.raises(ConfigError, match=r"in \$\{NAME\}, the name of a secret holds letters, digits and _ only"):
        camera(f"rtsp://admin:${{{name}{end}@camera/")


@pytest.mark.parametrize(
    ("source", "taken"),
    [
        (f" {ADDRESS} ", ADDRESS),
        (" /dev/video0", "/dev/video0"),
        ("clip.mp4 ", "/etc/edged/clip.mp4"),
        ("./a:b@c.mp4", "/etc/edged/a:b@c.mp4"),
    ],
)
def test_space_around_a_source_does_not_count(source: str, taken: str) -> None:
    assert camera(source).source == taken


def test_space_before_a_device_is_no_reason_to_refuse_its_mode() -> None:
    with pytest.raises(ConfigError, match="has a mistake:") as caught:
        camera(" /dev/video0", "width_px = 640\nplay = 1")
    assert "no device" not in str(caught.value)


def test_a_blank_source_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="it is blank"):
        camera("  ")


@pytest.mark.parametrize(
    ("source", "is_device", "is_live"),
    [
        ("/dev/video0", True, True),
        ("0", True, True),
        ("rtsp://camera/live", False, True),
        ("HTTP://camera/live", False, True),
        ("clip.mp4", False, False),
        ("/dev/shm/clip.mp4", False, False),
    ],
)
def test_a_camera_here_or_on_the_network_is_live_and_a_recording_is_not(
    source: str, is_device: bool, is_live: bool
) -> None:
    section = camera(source)
    assert (section.is_device, section.is_live) == (is_device, is_live)


def test_two_cameras_may_show_the_same_address() -> None:
    both = parse("".join(f'[[camera]]\nname = "{name}"\nsource = "rtsp://camera/"\n' for name in ("a", "b")))
    assert [section.source for section in both.camera] == ["rtsp://camera/"] * 2


@pytest.mark.parametrize(
    "text",
    [
        f'[[camera]]\nname = "yard"\nsource = "{ADDRESS}"\nwidth_px = 640\n',  # not for network cameras
        f'[[camera]]\nname = "yard"\nsource = "{ADDRESS.replace("rtsp", "rstp")}"\n',
        f'[[camera]]\nname = "{ADDRESS}"\nsource = "{ADDRESS}"\n',
        f'[[camera]]\nname = "yard"\nsource = ["{ADDRESS}"]\n',
        f'[[camera]]\nname = "yard"\nplay = "{ADDRESS}"\n',
        f'[[camera]]\nname = "yard"\nsource = "{ADDRESS}"\n' * 2,
        f'[camera]\nsource = "{ADDRESS}"\n',
        f'[camera]\nname = "yard"\nsourc = "{ADDRESS}"\n',
        f'camera = "{ADDRESS}"\n',
        f'[[camera]]\nname = "yard"\nsource = "{ADDRESS}" oops\n',
        f"[[camera]]\nsource = {ADDRESS}\n",
        f'[[camera]]\nsource = "{ADDRESS}\n',
        f'[[camera]]\nsource = "{ADDRESS}"\nsource = "{ADDRESS}"\n',
        f'[[camera]]\nsource = "rtsp://admin:"{SECRET}@camera/live"\n',
    ],
)
def test_no_mistake_in_the_file_shows_a_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert SECRET not in str(caught.value)


def test_what_is_wrong_in_a_line_with_a_password_is_still_said() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f'[[camera]]\nname = "yard"\nsource = "{ADDRESS}" oops\n')
    assert "line 3" in caught.value.message
    assert 'source = "rtsp://admin:***@camera.lan:8554/live?channel=***' in caught.value.message


def test_the_effective_configuration_shows_the_address_without_its_password() -> None:
    text = effective(parse(f'[[camera]]\nname = "yard"\nsource = "{ADDRESS}"\n'))
    assert 'source = "rtsp://admin:***@camera.lan:8554/live?channel=***"' in text
    assert SECRET not in text


def test_the_name_of_a_secret_stays_to_be_read() -> None:
    text = effective(parse('[[camera]]\nname = "yard"\nsource = "rtsp://admin:${YARD}@camera/"\n'))
    assert 'source = "rtsp://admin:${YARD}@camera/"' in text


def test_a_section_that_lands_in_a_traceback_shows_no_source() -> None:
    assert SECRET not in repr(camera(ADDRESS))
