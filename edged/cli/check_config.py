"""`edged check-config`: what a configuration file means, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edged.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edged.config.schema import Config


def check_config(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The configuration file.", show_default=False),
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="Print a commented file to start from.")] = False,
) -> None:
    """Check a configuration file and print everything that it sets and leaves at the default.

    All mistakes are listed at once, and the exit code is 2; so are labels that the model does not know. The result is
    itself a configuration file, but for passwords, which it shows as ***; what differs from the defaults is marked in
    it and listed on stderr, with a warning for a model that cannot be read, for every source that is not there, and for
    every address that was not printed in full.

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
    warnings = [*_model_warnings(config), *_source_warnings(config), *_hidden(config)]
    typer.echo(effective(config))
    for warning in warnings:
        typer.secho(f"warning: {warning}", err=True, fg=typer.colors.YELLOW)
    cameras = ", ".join(camera.name for camera in config.camera)
    typer.echo(f"{file} is well. Cameras: {cameras}. Differs from the defaults:", err=True)
    for change in changes(config) or ["nothing"]:
        typer.echo(f"  {change}", err=True)


def _model_warnings(config: Config) -> Iterator[str]:
    """Why the model will not run on this machine as it stands; where it would, its labels are checked too."""
    from edged import app

    try:
        spec = app.model_spec(config.model.path)
    except ModelError as error:
        yield f"model.path: {error.message}"
    else:
        app.check_labels(config, spec.labels)
        high, new = spec.thresholds.high_confidence, config.tracker.new_track_confidence
        if new is not None and config.tracker.high_confidence is None and new < high:
            yield f"tracker.new_track_confidence: {new:g} has no effect below the model's high_confidence, {high:g}"
        try:
            choice = app.choose_engine(spec, config.model.backend)
        except ModelError as error:
            yield f"model.backend: {error.message} {error.hint}"
        else:
            yield from _unheeded(config, choice.candidates[0][0].name)


def _unheeded(config: Config, engine: str) -> Iterator[str]:
    """Which options the engine that would run the model takes no notice of."""
    asked = {"dla_core": config.model.dla_core is not None, "precision": config.model.precision != "auto"}
    for option in (name for name, is_set in asked.items() if is_set and engine != "tensorrt"):
        yield f"model.{option}: TensorRT alone takes notice of it, and {engine} would run the model here"


def _hidden(config: Config) -> Iterator[str]:
    """Which sources are printed with *** in them, so that the result is no configuration as it stands."""
    from edged.domain.addresses import scheme, without_secrets

    for index, camera in enumerate(config.camera):
        if scheme(camera.source) is not None and without_secrets(camera.source) != camera.source:
            place = f"camera[{index}].source (camera {camera.name!r})"
            yield f"{place}: printed with *** for what may be secret; to load that, put it back or use ${{NAME}}"


def _source_warnings(config: Config) -> Iterator[str]:
    """Which sources will not run on this machine as it stands; nothing on the network is asked."""
    from edged.capture.network.address import parse_address
    from edged.domain.addresses import scheme, without_secrets
    from edged.errors import SourceError

    for index, camera in enumerate(config.camera):
        place = f"camera[{index}].source (camera {camera.name!r})"
        try:
            if scheme(camera.source) is not None:
                parse_address(camera.source)
            else:
                Path(camera.source).stat()
        except SourceError as error:
            yield f"{place}: {error.message}"
        except FileNotFoundError:
            yield f"{place}: there is no {without_secrets(camera.source)}"
        except OSError as error:
            yield f"{place}: {without_secrets(camera.source)} cannot be looked at: {error.strerror}"
