"""What `edged run` and `edged demo` share: the log on stderr, a progress bar for recordings."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from edged.cli.signals import StopSignals
from edged.domain.health import DaemonStatus
from edged.pipeline.daemon import Daemon


def run_until_done(daemon: Daemon, signals: StopSignals) -> DaemonStatus:
    """Run the daemon with a progress bar where somebody looks; `signals` stop it cleanly."""
    signals.stop_with(daemon.request_stop)
    with _progress_bar(daemon):
        return daemon.run()


def log_to_stderr(level: str) -> None:
    """Write the log for journald, which adds the time by itself, or for a person, who wants to see it."""
    form = "%(asctime)s %(levelname)s %(message)s" if sys.stderr.isatty() else "%(levelname)s %(message)s"
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format=form, datefmt="%H:%M:%S", force=True)


@contextmanager
def _progress_bar(daemon: Daemon) -> Iterator[None]:
    console = Console(stderr=True)
    columns = (TextColumn("watching"), BarColumn(), MofNCompleteColumn(), TextColumn("frames"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("frames", total=None, visible=False)

        def show(status: DaemonStatus) -> None:
            expected = [camera.frames_expected for camera in status.cameras]
            total = None if None in expected else sum(count or 0 for count in expected)
            progress.update(
                task, completed=sum(camera.frames for camera in status.cameras), total=total, visible=total is not None
            )

        daemon.listen(show)
        yield
