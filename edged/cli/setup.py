"""`edged setup`: a first configuration from a few answers."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from edged.cli.model_options import MODEL_HELP
from edged.cli.where import DEFAULT_CONFIG
from edged.errors import ConfigError

_DATA = Path("/var/lib/edged")
_RUNTIME = Path("/run/edged")
_SETTLE = Path("/usr/lib/edged/settle")  # opens the network where a camera has an address, and starts the service


def setup(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write; - prints it.", metavar="FILE")
    ] = DEFAULT_CONFIG,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            help="A camera: /dev/video0 or an address. May be given several times. Default: those found.",
            metavar="SOURCE",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help=f"{MODEL_HELP} Default: builtin.", metavar="MODEL"),
    ] = None,
    watch: Annotated[
        list[str] | None,
        typer.Option(help="A label that makes events. May be given several times. Default: person.", metavar="LABEL"),
    ] = None,
    data: Annotated[Path, typer.Option(help="Where events and pictures go.", metavar="DIR")] = _DATA,
    runtime: Annotated[
        Path, typer.Option(help="Where the status file goes, best in memory.", metavar="DIR")
    ] = _RUNTIME,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the defaults.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an existing file; it is kept as .bak.")] = False,
) -> None:
    """Ask which cameras to watch for what, and write a configuration file.

    Options answer the questions; --yes, or a standard input that is no terminal, takes the defaults for the rest. An
    existing file is never replaced unasked. The configuration is checked before it is written, and the service is
    started with it where you say so.

    Example: sudo edged setup --camera /dev/video0 --watch person --watch vehicle
    """
    from edged.cli.setup_answers import Wanted, configuration, write_config

    asking = not yes and sys.stdin.isatty()
    to_stdout = str(output) == "-"
    if not to_stdout:
        _may_write(output, asking=asking, replace=replace)
    wanted = Wanted(sources=camera, model=model, labels=watch, data_dir=data, runtime_dir=runtime)
    text = configuration(wanted, asking=asking)
    if to_stdout:
        typer.echo(text, nl=False)
        return
    write_config(output, text)
    if output == DEFAULT_CONFIG and _SETTLE.exists():
        start_service(_SETTLE, asking=asking)
    else:
        typer.echo(f"{output} is written. Start with it: edged run -c {shlex.quote(str(output))}", err=True)


def start_service(settle: Path, *, asking: bool) -> None:
    """Have the service started with the new configuration by `settle`, or say how. Raises typer.Exit where it fails."""
    if not (asking and typer.confirm("It is written. Start edged with it now?", default=True, err=True)):
        typer.echo(f"It is written. Start edged with it: sudo {settle}", err=True)
    elif code := subprocess.run([settle], check=False).returncode:
        raise typer.Exit(code)


def _may_write(output: Path, *, asking: bool, replace: bool) -> None:
    """Raise ConfigError when the file cannot be written, or nobody said that it may be replaced."""
    if not output.parent.is_dir():
        make = f"mkdir -p {shlex.quote(str(output.parent))}"
        raise ConfigError(f"There is no folder {output.parent}.", hint=f"Make it first: {make}")
    if not os.access(output.parent, os.W_OK):
        raise ConfigError(f"{output} cannot be written.", hint="Try it with sudo, or name another file with --output.")
    if not output.exists() or replace:
        return
    if not (asking and typer.confirm(f"{output} is there. Replace it? It is kept as {output.name}.bak.", err=True)):
        raise ConfigError(f"{output} is there already, and stays as it is.", hint="To replace it: --replace.")
