"""What goes wrong on a network, in the words of edged.errors.

No foreign exception goes along as a cause: libav writes the whole address, with its password, into its messages.
"""

from __future__ import annotations

import errno
import socket
import ssl

import av

from edged.capture.network.address import Address
from edged.errors import (
    SourceBusy,
    SourceDenied,
    SourceError,
    SourceNotFound,
    SourceStalled,
    SourceUnreachable,
    SourceUnreadable,
)

_ALONE = "The daemon tries again by itself."

_STATUS = {
    av.error.HTTPUnauthorizedError: 401,
    av.error.HTTPForbiddenError: 403,
    av.error.HTTPNotFoundError: 404,
    av.error.HTTPServerError: 500,
}


def network_error(error: OSError, address: Address) -> SourceUnreachable:
    """Translate what a socket said."""
    where, host = address.shown, address.host
    if isinstance(error, socket.gaierror):
        return SourceUnreachable(
            f"{where}: the name {host} cannot be resolved",
            hint=f"Check its spelling and this machine's network, or write the camera's IP address. {_ALONE}",
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceUnreachable(
            f"{where}: its TLS certificate is not trusted: {error.verify_message}",
            hint="Add the camera's certificate to this machine's (update-ca-certificates), or use it without TLS.",
        )
    if isinstance(error, ssl.SSLError):
        return SourceUnreachable(
            f"{where}: no TLS connection comes about: {error.reason}",
            hint=f"Check the port, and whether the camera speaks TLS there: {address.scheme}:// asks for it.",
        )
    if isinstance(error, TimeoutError):
        return no_answer(address)
    if isinstance(error, ConnectionRefusedError):
        return SourceUnreachable(
            f"{where}: {host} refuses connections to port {address.port}",
            hint=f"Check the port, and that the camera's stream is switched on. {_ALONE}",
        )
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return SourceUnreachable(
            f"{where}: there is no way to {host}: {error.strerror}",
            hint=f"Check the cable or Wi-Fi, the camera's power and its address. {_ALONE}",
        )
    return SourceUnreachable(
        f"{where}: the connection broke: {error.strerror or type(error).__name__}",
        hint=f"Check the network and the camera's power. {_ALONE}",
    )


def no_answer(address: Address) -> SourceUnreachable:
    """Nothing came in time."""
    return SourceUnreachable(
        f"{address.shown}: {address.host} does not answer in time",
        hint=f"Check the cable or Wi-Fi, and that the camera is up: `ping {address.host}`. {_ALONE}",
    )


def stalled(address: Address, for_s: float) -> SourceStalled:
    """The connection stands, but nothing comes."""
    return SourceStalled(
        f"{address.shown}: {address.host} has sent nothing usable for {for_s:g} s",
        hint=f"Check the cable or Wi-Fi, and whether the camera's own page shows a picture. {_ALONE}",
    )


def hung_up(address: Address) -> SourceUnreachable:
    """A camera never ends: the end of its stream is a loss."""
    return SourceUnreachable(
        f"{address.shown}: the camera ended the stream",
        hint=f"Perhaps it restarts, or serves too many readers. {_ALONE}",
    )


def unreadable(address: Address, reason: str) -> SourceUnreadable:
    """It answers, but not with a picture."""
    return SourceUnreadable(
        f"{address.shown}: {reason}",
        hint="Try the address in `ffplay`, and look in the camera's manual for the right one.",
    )


def refused(status: int, address: Address) -> SourceError:
    """Translate a status of HTTP (RFC 9110) or RTSP (RFC 2326) that is not success."""
    where = address.shown
    if status in (401, 403):
        what = "wants a user and a password" if address.user is None else "refuses this user or password"
        return SourceDenied(
            f"{where}: the camera {what} ({status})",
            hint=f"Write {address.scheme}://user:password@{address.host}/…; some cameras have separate users for it.",
        )
    if status in (404, 410, 454):
        return SourceNotFound(
            f"{where}: the camera has no such stream ({status})",
            hint="Look in its manual, or in its web page, for the path of the stream.",
        )
    if status in (453, 503):
        return SourceBusy(
            f"{where}: the camera serves no more readers ({status})",
            hint=f"End another program that reads it. {_ALONE}",
        )
    return unreadable(address, f"the camera answers with an error ({status})")


def libav_error(error: Exception, address: Address) -> SourceError:
    """Translate what libav said; only its short words are passed on, never its message."""
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            return refused(status, address)
    if isinstance(error, av.EOFError):
        return hung_up(address)
    if isinstance(error, av.ExitError):
        return no_answer(address)
    if isinstance(error, av.FFmpegError) and isinstance(error, OSError):
        return network_error(error, address)
    words = error.strerror if isinstance(error, av.FFmpegError) else type(error).__name__
    return unreadable(address, f"what comes is no video: {words}")
