"""What the README says a newcomer can do, done."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from edged.app import list_models
from edged.config.loader import load_config
from edged.domain.events import EventKind, TrackEvent
from edged.store.events import EventStore
from edged.testing.clock import FakeClock
from tests.docs.documents import ROOT, fenced

README = ROOT / "README.md"


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an event log in demo-output, as ./scripts/demo leaves it."""
    folder = tmp_path_factory.mktemp("readme")
    store = EventStore(folder / "demo-output", clock=FakeClock(), version="0")
    store.open()
    store.put(
        TrackEvent(
            kind=EventKind.APPEARED,
            camera="demo",
            at=1000.0,
            track_id=1,
            label="person",
            confidence=0.8,
            xyxy=(1.0, 2.0, 30.0, 60.0),
            entry_xy=(15.0, 60.0),
            exit_xy=None,
            started_at=999.0,
            duration_s=1.0,
        ),
        None,
    )
    store.flush()
    store.close()
    return folder


def commands() -> list[str]:
    lines = [line for block in fenced(README, "console") for line in block.splitlines() if line.startswith("$ ")]
    return [line.removeprefix("$ ") for line in lines]


def test_the_readme_shows_how_to_read_events() -> None:
    assert any("events" in command for command in commands())


@pytest.mark.parametrize("command", [command for command in commands() if "--follow" not in command])
def test_every_command_in_the_readme_works_after_the_demo(command: str, demo_folder: Path) -> None:
    program, *arguments = shlex.split(command)
    assert program == ".venv/bin/edged"

    done = subprocess.run(
        [sys.executable, "-m", "edged", *arguments], cwd=demo_folder, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "text",
    [*fenced(README, "toml"), *(file.read_text() for file in sorted((ROOT / "configs").glob("*.toml")))],
)
def test_every_example_configuration_names_labels_that_its_model_knows(text: str, tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    file.write_text(text)
    config = load_config(file)
    known = set(list_models()[config.model.path].labels)

    wanted = {*config.presence.labels, *(label for camera in config.camera for label in camera.labels or ())}

    assert wanted <= known


def test_every_script_that_the_readme_names_is_there() -> None:
    named = set(re.findall(r"\./(scripts/\w+)", README.read_text()))

    assert {"scripts/demo", "scripts/test"} <= named
    assert all((ROOT / name).is_file() for name in named)
