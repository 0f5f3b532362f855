from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import psutil
import pytest

from edged.capture.network.source import NetworkSource
from edged.clock import SystemClock
from edged.domain.frame import Frame
from edged.testing.encoded import number_in

OPEN_S = 2.0
STALL_S = 0.3

Opens = Callable[..., NetworkSource]


@pytest.fixture
def until_the_end() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def keep(until_the_end: ExitStack) -> Callable[[Any], Any]:
    """Close what the test makes at its end."""

    def keep(made: Any) -> Any:
        until_the_end.callback(made.close)
        return made

    return keep


@pytest.fixture
def source_of(keep: Callable[[Any], Any]) -> Opens:
    """A source of an address, short of patience."""

    def make(spec: str, **options: Any) -> NetworkSource:
        chosen = {"clock": SystemClock(), "open_timeout_s": OPEN_S, "stall_timeout_s": STALL_S, **options}
        source: NetworkSource = keep(NetworkSource(spec, **chosen))
        return source

    return make


def read(source: NetworkSource) -> Frame:
    """The next frame, which must come."""
    frame = source.read(5.0)
    assert frame is not None
    return frame


def read_on(source: NetworkSource) -> NoReturn:
    """Read until something is wrong."""
    for _ in range(100):
        source.read(0.1)
    pytest.fail("a hundred reads, and all was well")


def connections_to(port: int) -> int:
    """How many connections this process has to a server's port, its own ends not counted."""
    connections = psutil.Process().net_connections("tcp")
    return sum(1 for one in connections if one.raddr and one.raddr.port == port and one.fd != -1)


def number(frame: Frame) -> int:
    """Which picture it shows."""
    return number_in(frame.image())


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed, as cameras have them, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "camera.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=camera"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{path}.key", "-out", path),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + Path(f"{path}.key").read_text())
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
