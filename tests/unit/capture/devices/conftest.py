from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from edged.testing.sysfs import FakeMachine


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


@pytest.fixture
def world_readable() -> Iterator[FakeMachine]:
    """A machine where every user may look around; tmp_path lies where only its owner may."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield FakeMachine(Path(name).resolve())
