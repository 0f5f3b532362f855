"""The address of a camera on the network (RFC 3986), with its password apart from what people may read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from edged.domain.addresses import REFERENCE, without_secrets
from edged.errors import SourceDenied, SourceNotFound

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "tcp": None}

FindSecret = Callable[[str], "str | None"]


def find_secret(name: str) -> str | None:
    """Look for a secret in systemd's credentials (LoadCredential=, systemd.exec(5)), then in the environment."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder:
        try:
            return (Path(folder) / name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            pass  # not among them, or no text: then the environment
    return os.environ.get(name)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a camera is. Only `shown` is for people; its repr() tells nothing else."""

    shown: str
    scheme: str = field(repr=False)
    host: str = field(repr=False)
    port: int = field(repr=False)
    target: str = field(repr=False)  # path and query, as they are sent
    user: str | None = field(repr=False)
    password: str = field(repr=False)
    url: str = field(repr=False)  # in full: for libav only

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("https", "rtsps")

    @property
    def authority(self) -> str:
        """Host and port as an HTTP Host header has them (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_address(text: str, *, find_secret: FindSecret | None = find_secret) -> Address:
    """Read an address; each `${NAME}` in it is replaced by what `find_secret` has for that name.

    None is for an address that came from the network: it names no secrets of ours.

    Raises SourceNotFound where it cannot be read, and SourceDenied where a secret is missing.
    """
    shown = without_secrets(text)

    def secret(name: str) -> str:
        value = find_secret(name) if find_secret else None
        if value is None:
            raise SourceDenied(
                f"{shown}: there is no ${{{name}}}",
                hint=f"Give it to the daemon as a systemd credential or an environment variable called {name}.",
            )
        return quote(value, safe="")

    url = text if find_secret is None else REFERENCE.sub(lambda found: secret(found[1]), text)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
        (host or "").encode("idna")  # as the resolver does: a name has no empty part, and none of more than 63 signs
    except ValueError:
        raise _illegible(shown) from None
    if not host or not port or not url.isascii() or any(sign <= " " for sign in url):
        raise _illegible(shown)
    return Address(
        shown=shown,
        scheme=parts.scheme,
        host=host,
        port=port,
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        user=None if parts.username is None else unquote(parts.username),
        password=unquote(parts.password or ""),
        url=url,
    )


def _illegible(shown: str) -> SourceNotFound:
    return SourceNotFound(
        f"{shown} is no address that can be read",
        hint="It is written rtsp://user:password@host:port/path; in a password, write @ as %40 and / as %2F.",
    )
