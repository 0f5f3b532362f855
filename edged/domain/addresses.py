"""Cameras on the network, as a person writes them, and their passwords, which are for nobody to read."""

from __future__ import annotations

import re

SCHEMES = ("rtsp", "rtsps", "http", "https", "tcp")

REFERENCE = re.compile(r"\$\{(\w+)\}")
"""`${NAME}` in an address stands for a secret that is kept elsewhere."""

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)

# A file that looks like one of these is written with its folder: /clips/…, ./…, ../… or ~/…
_MISTYPED = re.compile(
    rf"(?:{'|'.join(SCHEMES)})(?::|//)"  # rtsp:/host, rtsp//host
    r"|(?!/(?!/)|\.\.?/|~/)(?:[^:]*:.*@"  # user:password@host
    r"|[\w.-]+:\d+(?:/|$)"  # host:554/live
    r"|[^?]*\?[^=]+=)",  # host/live?user=admin
    re.IGNORECASE | re.DOTALL,
)

# Greedy up to the last @: a password may hold any sign, and rather too much is hidden than too little.
_PASSWORD = re.compile(r"(://[^\s:@/?#]*):(?!\$\{\w+\}@)[^\n]*@")
_MISTYPED_PASSWORD = re.compile(
    r"(?<![^\s:@/?#\"'=])"
    rf"((?:(?:{'|'.join(SCHEMES)}):/*\s*)?[^\s:@/?#\"'=]*):(?!//|\*\*\*@|\$\{{\w+\}}@)[^\n]*@",
    re.IGNORECASE,
)
_QUERY = re.compile(r"([?&;][^=?&;/\s\"]*=)(?!\$\{\w+\}(?:[&;#\s\"]|$))[^&\n]+")
_IN_PATH = re.compile(r"((?:pas|pw)[a-z0-9]{0,20}=)(?!\$\{\w+\}(?:[_/?&;#\s\"]|$))[^/?&\n]+", re.IGNORECASE)

# As without_secrets() writes it, `user:***@` and `name=***`, or as a person may: `***@`.
_HIDDEN = re.compile(r"(?:[:=]|//)\*\*\*(?=[:@&;#/?]|$)")
_ILL_NAMED = re.compile(r"\$\{(?!\w+\})")


def scheme(source: str) -> str | None:
    """Return what stands before the :// of an address, in small letters; None where there is none."""
    found = _ADDRESS.match(source)
    return found[1].lower() if found else None


def looks_like_address(source: str) -> bool:
    """Tell whether a source without :// was meant as an address: `http:/host`, `user:password@host`, `host:554/`."""
    return bool(_MISTYPED.match(source))


def is_hidden(address: str) -> bool:
    """Tell whether something in an address is the `***` that without_secrets() puts there."""
    return bool(_HIDDEN.search(address))


def has_bad_reference(address: str) -> bool:
    """Tell whether an address has a `${…}` that is no REFERENCE, such as `${CAM-1}`, and would be sent as it is."""
    return bool(_ILL_NAMED.search(address))


def without_secrets(text: str) -> str:
    """Hide what may be secret in all addresses in `text`, mistyped ones too.

    That is the password, every value of the query, and in the path what follows `pas…=` or `pw…=`:
    `rtsp://user:***@host/…`, `…?channel=***`, `…/user=admin_password=***`. A reference such as `${YARD_PASSWORD}` is no
    secret and stays.
    """
    if "@" in text:  # without one, each colon of a long text would be searched to the end in vain
        text = _MISTYPED_PASSWORD.sub(r"\1:***@", _PASSWORD.sub(r"\1:***@", text))
    return _IN_PATH.sub(r"\1***", _QUERY.sub(r"\1***", text))
