"""The file that a newcomer starts from."""

from __future__ import annotations

from importlib import resources


def default_config_text() -> str:
    """A commented configuration of one camera; it loads as it is."""
    return resources.files("edged.config").joinpath("starter.toml").read_text(encoding="utf-8")
