"""`edged check-config`: what a configuration file means, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edged.config.schema import Config


def check_config(
    file: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads this on Python 3.10 too
        typer.Argument(metavar="FILE", help="The configuration file.", show_default=False),
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="Print a commented file to start from.")] = False,
) -> None:
    """Check a configuration file and print everything that it sets and leaves at the default.

    All mistakes are listed at once, and the exit code is 2. The result is itself a configuration file; what differs
    from the defaults is marked in it and listed on stderr, with a warning for every path that does not exist yet.

    Example: edged check-config /etc/edged/edged.toml
    """
    if example == (file is not None):
        raise typer.BadParameter("give either FILE or --example")
    if file is None:
        from edged.config.starter import default_config_text

        typer.echo(default_config_text(), nl=False)
        return
    from edged.config.effective import changes, effective
    from edged.config.loader import load_config

    config = load_config(file)
    typer.echo(effective(config))
    for warning in _warnings(config):
        typer.secho(f"warning: {warning}", err=True, fg=typer.colors.YELLOW)
    cameras = ", ".join(camera.name for camera in config.camera)
    typer.echo(f"{file} is well. Cameras: {cameras}. Differs from the defaults:", err=True)
    for change in changes(config) or ["nothing"]:
        typer.echo(f"  {change}", err=True)


def _warnings(config: Config) -> Iterator[str]:
    """What is allowed in the file but will not run on this machine as it stands."""
    if "/" in config.model.path and not Path(config.model.path).is_dir():
        yield f"model.path: there is no folder {config.model.path}"
    for index, camera in enumerate(config.camera):
        if not Path(camera.source).exists():
            yield f"camera[{index}].source (camera {camera.name!r}): there is no {camera.source}"
