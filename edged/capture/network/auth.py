"""Proves to a camera's web server who we are: Basic (RFC 7617) and Digest (RFC 7616, RFC 2617)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from urllib.request import parse_http_list

_HASHES = {"MD5": "md5", "SHA-256": "sha256"}


def authorization(challenges: Sequence[str], *, user: str, password: str, target: str) -> str | None:
    """Answer the WWW-Authenticate headers of a GET for `target`, Digest if it is offered; None for unknown schemes."""
    offers = {
        scheme.lower(): rest for scheme, _, rest in (challenge.strip().partition(" ") for challenge in challenges)
    }
    if "digest" in offers:
        answer = _digest(_fields(offers["digest"]), user, password, target)
        if answer:
            return answer
    if "basic" in offers:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return None


def _digest(offer: dict[str, str], user: str, password: str, target: str) -> str | None:
    algorithm = offer.get("algorithm", "MD5")
    qops = [qop.strip() for qop in offer.get("qop", "").split(",") if qop.strip()]
    if algorithm.upper() not in _HASHES or (qops and "auth" not in qops):
        return None

    def digest(*parts: str) -> str:
        return hashlib.new(_HASHES[algorithm.upper()], ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    realm, nonce = offer.get("realm", ""), offer.get("nonce", "")
    who, what = digest(user, realm, password), digest("GET", target)
    fields = {"username": user, "realm": realm, "nonce": nonce, "uri": target}
    bare = {"algorithm": algorithm}
    if qops:
        count, own = "00000001", secrets.token_hex(8)
        bare |= {"qop": "auth", "nc": count}
        fields |= {"cnonce": own, "response": digest(who, nonce, count, own, "auth", what)}
    else:
        fields |= {"response": digest(who, nonce, what)}
    if "opaque" in offer:
        fields["opaque"] = offer["opaque"]
    quoted = [f'{name}="{_escaped(value)}"' for name, value in fields.items()]
    return "Digest " + ", ".join(quoted + [f"{name}={value}" for name, value in bare.items()])


def _fields(challenge: str) -> dict[str, str]:
    pairs = (item.partition("=") for item in parse_http_list(challenge))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "")
