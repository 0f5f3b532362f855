"""Cameras on the network, as a person writes them, and their passwords, which are for nobody to read."""

from __future__ import annotations

import re

SCHEMES = ("rtsp", "rtsps", "http", "https", "tcp")

REFERENCE = re.compile(r"\$\{(\w+)\}")
"""`${NAME}` in an address stands for a secret that is kept elsewhere."""

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
# Greedy up to the last @: a password may hold any sign, and rather too much is hidden than too little.
_PASSWORD = re.compile(r"(://[^\s:@/?#]*):(?!\$\{\w+\}@)[^\n]*@")
_QUERY = re.compile(r"([?&;][\w.-]*(?:pass|pwd|secret|token|key|auth)[\w.-]*=)(?!\$\{\w+\})[^&;\s\"'#]*", re.IGNORECASE)


def scheme(source: str) -> str | None:
    """Return what stands before the :// of an address, in small letters; None where there is none."""
    found = _ADDRESS.match(source)
    return found[1].lower() if found else None


def without_secrets(text: str) -> str:
    """Hide the passwords of all addresses in `text`: `rtsp://user:***@host/…`, `…?password=***`.

    A reference such as `${YARD_PASSWORD}` is no secret and stays.
    """
    if "://" not in text:
        return text
    return _QUERY.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))
