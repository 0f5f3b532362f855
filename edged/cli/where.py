"""Which daemon a command asks about: by its configuration file or by its data folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from edged.errors import ConfigError

DEFAULT_CONFIG = Path("/etc/edged/edged.toml")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help=f"The daemon's configuration file. Default: {DEFAULT_CONFIG}."),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The daemon's data folder, instead of a configuration file."),
]


def cache_folder() -> Path:
    """Where commands keep what can be made or fetched again (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edged"


def data_folder(config: Path | None, data: Path | None) -> Path:
    """The folder of the event log. Raises ConfigError."""
    return folders(config, data)[0]


def folders(config: Path | None, data: Path | None) -> tuple[Path, Path]:
    """The folders of the event log and of the status file. Raises ConfigError."""
    if data is not None and config is not None:
        raise typer.BadParameter("give either --config or --data")
    if data is not None:
        return data, data
    if config is None and not DEFAULT_CONFIG.exists():
        raise ConfigError(
            f"Which daemon? There is no {DEFAULT_CONFIG}.",
            hint="Name its configuration file with --config FILE, or its data folder with --data DIR.",
        )
    from edged.config.loader import load_folders  # here, because it takes longer to import than all the rest

    settings = load_folders(config or DEFAULT_CONFIG)  # a daemon that runs refused what else is wrong with the file
    return settings.data_dir, settings.status_dir
