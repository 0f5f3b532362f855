"""[log]: what the daemon says of itself."""

from __future__ import annotations

from typing import Literal

from edged.config.schema.fields import Section, option

LogLevel = Literal["debug", "info", "warning", "error"]


class LogSection(Section):
    """What the daemon says of itself on stderr, where journald picks it up."""

    level: LogLevel = option("info", "The least important message that is written.", "choice")
