"""`edged snapshot`: one picture of a camera, to aim it or to see that it works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edged.cli.where import DEFAULT_CONFIG, ConfigOption
from edged.errors import ConfigError

if TYPE_CHECKING:
    from edged.config.schema import CameraSection


def snapshot(
    camera: Annotated[
        str, typer.Argument(help="A camera's name in the configuration; or a device, a file or a network address.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The picture: a name that ends in .jpg or .png.")
    ],
    config: ConfigOption = None,
) -> None:
    """Take one picture, as the daemon would see it.

    A camera is watched for a second first, until its exposure has settled. An existing FILE is replaced atomically.

    Example: edged snapshot /dev/video0 -o yard.jpg
    """
    from edged import app
    from edged.cli.running import log_to_stderr
    from edged.imaging.still import FORMATS, write_still

    if output.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"{output} must end in {' or '.join(FORMATS)}", param_hint="'--output'")
    log_to_stderr("warning")
    image = app.picture_of(_section(camera, config))
    size_bytes = write_still(output, image)
    height_px, width_px = image.shape[:2]
    kind = FORMATS[output.suffix.lower()]
    typer.echo(f"{output}: {kind}, {width_px} × {height_px}, {size_bytes / 1000:.0f} kB")


def _section(camera: str, config: Path | None) -> CameraSection:
    """The camera of that name in the configuration, or one with the defaults for a device, file or address."""
    from edged import app
    from edged.config.loader import load_config
    from edged.config.schema import NAME_PATTERN

    is_name = bool(re.fullmatch(NAME_PATTERN, camera)) and not camera.isdecimal() and not Path(camera).exists()
    if config is None and is_name:
        config = DEFAULT_CONFIG
        if not config.exists():
            raise ConfigError(
                f"Which camera is {camera!r}? There is no {DEFAULT_CONFIG}, and no file of that name.",
                hint="Name the configuration file with --config FILE, or a device such as /dev/video0.",
            )
    cameras = {section.name: section for section in load_config(config).camera} if config is not None else {}
    if is_name and camera not in cameras:
        raise ConfigError(f"{config} has no camera {camera!r}.", hint=f"It has: {', '.join(cameras)}.")
    return cameras.get(camera) or app.camera_at(camera)
