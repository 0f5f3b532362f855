"""`edged run`: the daemon itself."""

from __future__ import annotations

import faulthandler
import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from edged.cli.signals import StopSignals, has_terminal
from edged.cli.tracing import TraceLabelOption, TraceOption, Traces, label_for


def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.", metavar="FILE")],
    trace: TraceOption = None,
    trace_label: TraceLabelOption = None,
) -> None:
    """Watch the cameras of a configuration and write events until stopped.

    Runs until Ctrl-C or SIGTERM, or until every source has ended where all are files. Both are clean ends: what
    happened is committed, and the exit code is 0, or 7 where the trace is not complete.

    A service reads its configuration again at SIGHUP (`systemctl reload edged`): cameras that it leaves unchanged go on
    with all that they follow, and a file with a mistake in it is refused.

    Example: edged run -c /etc/edged/edged.toml
    """
    label = label_for(trace, trace_label)
    unattended = not has_terminal()
    with StopSignals(reload=unattended) as signals, ExitStack() as files:
        from edged import app
        from edged.cli.running import log_to_stderr, run_until_done
        from edged.config.loader import load_config

        faulthandler.enable()  # a crash, or systemd's watchdog, leaves every thread's stack in the journal
        settings = load_config(config)
        log_to_stderr(settings.log.level)
        detector = app.load_detector(settings)
        traces = Traces(trace, partial(app.open_spare_trace, label=label, labels=detector.labels), files)
        daemon = app.build(
            traces.opened_for(settings),
            detector=detector,
            observers=traces.of,
            read_again=lambda: traces.opened_for(load_config(config)),
            unattended=unattended,
        )
        signals.reload_with(daemon.request_reload)
        run_until_done(daemon, signals)
    incomplete = traces.error
    if daemon.left_behind:
        # In the middle of native code: an orderly exit would pull Python away from under that thread.
        os._exit(0 if incomplete is None else incomplete.exit_code)
    if incomplete is not None:
        raise incomplete
