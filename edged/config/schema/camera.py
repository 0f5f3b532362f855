"""[[camera]]: where frames come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from edged.config.contradictions import FRAME_TIMEOUT_S, LEAST_FPS
from edged.config.schema.fields import NAME_PATTERN, Section, option, resolve
from edged.domain.addresses import SCHEMES, has_bad_reference, is_hidden, looks_like_address, scheme
from edged.domain.devices import device_path

Play = Literal["as_fast_as_possible", "in_real_time"]
PixelFormat = Literal["MJPG", "JPEG", "YUYV", "UYVY", "NV12", "NM12", "YU12", "YM12", "GREY", "BGR3"]


def _corner(corner: list[float]) -> list[float]:
    if len(corner) != 2 or not 0 <= min(corner) <= max(corner) <= 1:
        raise ValueError("a corner is [x, y] in shares of the picture's width and height, 0 to 1")
    return corner


def _area(corners: list[list[float]]) -> list[list[float]]:
    if len(corners) < 3:
        raise ValueError("an area needs three corners or more, such as [[0, 0], [1, 0], [1, 0.2], [0, 0.2]]")
    return corners


def _areas(areas: Any) -> Any:
    if isinstance(areas, list) and areas and all(_looks_like_corner(corner) for corner in areas):
        raise ValueError("this is one area where a list of areas is wanted: put it in brackets, [[[0, 0], ...]]")
    return areas


def _looks_like_corner(corner: Any) -> bool:
    return isinstance(corner, list) and bool(corner) and all(isinstance(number, int | float) for number in corner)


def _source(text: str, info: ValidationInfo) -> str:
    text = text.strip()
    if not text:
        raise ValueError("it is blank")
    kind = scheme(text)
    if kind in SCHEMES:
        return _address(text)
    if kind is not None:
        raise ValueError(f"edged reads addresses that begin with {', '.join(f'{known}://' for known in SCHEMES)}")
    if looks_like_address(text):
        raise ValueError(
            "it looks like a network address; write rtsp://user:password@host/path, or ./ before the name of a file"
        )
    return resolve(device_path(text) or text, info)


def _address(text: str) -> str:
    if is_hidden(text):
        raise ValueError("the password was hidden here: put it back, or use ${NAME}")
    if has_bad_reference(text):
        raise ValueError("in ${NAME}, the name of a secret holds letters, digits and _ only, and a } ends it")
    return text


def _controls(controls: dict[str, Any]) -> dict[str, Any]:
    strange = [name for name, value in controls.items() if not isinstance(value, bool | int | str)]
    if strange:
        raise ValueError(f"{', '.join(strange)} must be a whole number, a text in quotes, true or false")
    return controls


Corner = Annotated[list[float], AfterValidator(_corner)]
Area = Annotated[list[Corner], AfterValidator(_area)]


class CameraSection(Section):
    """One camera. Write the table once for each: [[camera]]."""

    name: str = option(
        ...,
        "Name of the camera in events and file names: small letters, digits, - and _; no two alike.",
        "name",
        pattern=NAME_PATTERN,
        max_length=40,
    )
    source: Annotated[str, AfterValidator(_source)] = option(
        ...,
        "Where the frames come from: /dev/video0, rtsp://camera.lan/live, a video file, or a folder of images.",
        "path or address",
        min_length=1,
        repr=False,  # an address may hold a password
    )
    play: Play = option(
        "as_fast_as_possible",
        "How a file or folder is played: every frame, or as a camera would, where the newest frame wins. "
        "A camera always gives its newest frame.",
        "choice",
    )
    frame_timeout_s: float = option(
        FRAME_TIMEOUT_S,
        "A camera that gives no frame for this long is lost: it is opened again, and those in view of it leave. "
        "Its first frame may take 5 seconds all the same. At least the time of two frames, 2 / fps.",
        "seconds",
        ge=0.1,
        le=600,
    )
    format: PixelFormat | None = option(
        None,
        "Pixel format of a camera, by the four letters that the kernel knows it by. Not set: what costs least.",
        "choice",
    )
    width_px: int | None = option(
        None, "Width of a camera's pictures. Not set: 640, or the next above it.", "pixels", ge=16, le=16384
    )
    height_px: int | None = option(
        None, "Height of a camera's pictures. Not set: 480, or the next above it.", "pixels", ge=16, le=16384
    )
    fps: float | None = option(
        None,
        "Frames a second that a camera is asked for. Not set: 30, or the nearest that it has.",
        "frames a second",
        ge=LEAST_FPS,
        le=1000,
    )
    controls: Annotated[dict[str, Any], AfterValidator(_controls)] = option(
        {},
        'Controls of a camera to set when it is opened, such as power_line_frequency = "50 Hz". '
        "`edged cameras` lists those that a camera has.",
        "table of numbers, texts, true or false",
    )
    image_interval_s: float = option(
        0.1, "Time from one picture to the next in a folder of images.", "seconds", ge=0.001, le=86400
    )
    every: int | None = option(
        None, "For this camera, instead of scheduler.every. Not set: as there.", "frames", ge=1, le=1000
    )
    ignore_motion: Annotated[list[Area], BeforeValidator(_areas)] = option(
        [],
        "Areas in which motion does not wake the detector, such as a tree or a clock in the picture: each a list of "
        "corners [x, y]. Objects in them are still detected whenever it looks.",
        "lists of corners, 0..1",
    )
    labels: tuple[str, ...] | None = option(
        None, "For this camera, instead of presence.labels. Not set: as there.", "list of labels", strict=False
    )

    @property
    def device(self) -> Path | None:
        """The source as the path of a device; None for everything else."""
        path = device_path(self.source)
        return None if path is None else Path(path)

    @property
    def is_device(self) -> bool:
        """Whether the source is a camera at this machine."""
        return self.device is not None

    @property
    def is_live(self) -> bool:
        """Whether the source is a camera, here or on the network, which never ends, rather than a file or folder."""
        return self.is_device or scheme(self.source) is not None
