"""The command line's entry point: gathers the commands and turns errors into words and exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from edged import __version__
from edged.cli import cameras, check_config, demo, doctor, events, models, replay, run, setup, snapshot, status
from edged.cli.streams import drop_the_rest, prepare_streams, stdout_error
from edged.errors import ConfigError, EdgedError

_INTERRUPTED = 130


class _Edged(TyperGroup):
    """Where every command's errors come out."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except EdgedError as error:
            _tell(error)
            raise typer.Exit(error.exit_code) from error
        except typer.Abort:  # Ctrl-C or Ctrl-D where a question was asked
            typer.echo(err=True)
            raise typer.Exit(_INTERRUPTED) from None
        except BrokenPipeError:  # `edged events | head`: the reader has seen enough
            drop_the_rest()
            raise typer.Exit from None
        return result


def _tell(error: EdgedError) -> None:
    typer.secho(error.message, err=True, fg=typer.colors.RED)
    typer.echo(f"  {error.hint}", err=True)


def _folder_error(error: Exception) -> ConfigError | None:
    """What to tell when `error` came of a relative path that counts from a folder that was deleted, else None."""
    if isinstance(error, FileNotFoundError):
        try:
            Path.cwd()
        except FileNotFoundError:
            return ConfigError("The folder that this command runs in was deleted.", hint="Go to another: cd FOLDER")
    return None


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edged {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="edged",
    cls=_Edged,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=(
        "Exit codes: 0 success, 1 a bug, 2 configuration or command line, 3 source, 4 model, 5 event log, 6 daemon, "
        "7 an output file, 8 the daemon runs, but something is wrong, 9 it hung, 10 the doctor found a fault."
    ),
)


@app.callback()
def _edged(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Watch cameras, follow what moves, keep a log of events."""


app.command("run", short_help="Watch cameras and log events until stopped.")(run.run)
app.command("demo", short_help="Show what edged sees in one clip or camera.")(demo.demo)
app.command("events", short_help="List what happened.")(events.events)
app.command("status", short_help="Show the state of the daemon.")(status.status)
app.command("setup", short_help="Write a first configuration.")(setup.setup)
app.command("doctor", short_help="Check the box, and say how to fix what is wrong.")(doctor.doctor)
app.command("cameras", short_help="List the cameras of this machine and how to configure them.")(cameras.cameras)
app.command("snapshot", short_help="Take one picture of a camera.")(snapshot.snapshot)
app.command("replay", short_help="Compare policies of frame skipping on a recording.")(replay.replay)
app.command("check-config", short_help="Check a configuration file.")(check_config.check_config)
app.add_typer(models.app, name="models")


def main(arguments: list[str] | None = None) -> None:
    """Run edged and exit the process."""
    # numpy's BLAS starts a thread a core as it is imported, and each spins for a while; no matrix here is worth one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    prepare_streams()
    try:
        app(args=arguments, prog_name="edged")
    except Exception as error:  # noqa: BLE001 - the last line of defence: what else arrives here is a bug, shown in full
        if (known := stdout_error(error) or _folder_error(error)) is not None:
            _tell(known)
            sys.exit(known.exit_code)
        traceback.print_exc()
        typer.echo(f"This is a bug in edged {__version__}: please report it with the lines above.", err=True)
        sys.exit(1)
