"""`edged cameras`: what is plugged in, what it can do, and how to configure it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from edged.errors import SourceNotFound

_WHERE_IT_MAY_BE = (
    "Plug one in and look whether `dmesg` tells of it. A container must be given the device (--device /dev/video0). A "
    "camera on a ribbon cable (CSI) is read through libcamera: docs/cameras.md."
)


def cameras(
    model: Annotated[
        str,
        typer.Option(
            help="The model to choose modes for: a folder, or a name from `edged models list`.", metavar="MODEL"
        ),
    ] = "builtin",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a device, a line each.")] = False,
) -> None:
    """List the cameras of this machine: lasting names, formats, sizes, rates and controls.

    For each it prints the mode that suits the model best, as a [[camera]] table for the configuration file. A daemon
    that reads them is not disturbed. The exit code is 3 when there is no camera.

    Example: edged cameras --model ./picodet-s
    """
    from edged import app
    from edged.cli.camera_record import record
    from edged.cli.camera_screen import paragraphs
    from edged.cli.console import stdout_console

    spec = app.model_spec(model)
    found = [(camera, app.mode_for(camera, spec)) for camera in app.find_cameras()]
    if as_json:
        for camera, mode in found:
            typer.echo(json.dumps(record(camera, mode), ensure_ascii=False))
    else:
        for paragraph in paragraphs(found, spec, columns=stdout_console().width):
            typer.echo(f"{paragraph}\n")
    if not any(camera.takes_pictures for camera, _ in found):
        raise SourceNotFound("There is no camera at this machine.", hint=_WHERE_IT_MAY_BE)
