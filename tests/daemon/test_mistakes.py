"""What people get wrong, and what they are told: the exit codes of docs/cli.md, names, and what to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import takewhile
from pathlib import Path

import pytest

from tests.daemon.conftest import Box

TWELVE = """
data_dir = 7
runtimedir = "x"
[model]
path = ""
threads = 0
[tracker]
low_confidence = 0.9
high_confidence = 0.5
lost_after_s = -1
[scheduler]
every = "two"
[store]
snapshot_quality = 101
retention_days = 0
[log]
level = "loud"
[[camera]]
name = "Front Door"
source = "rstp://camera/1"
"""
PLACES = (
    "data_dir",
    "runtimedir",
    "model.path",
    "model.threads",
    "tracker.low_confidence",
    "tracker.lost_after_s",
    "scheduler.every",
    "store.snapshot_quality",
    "store.retention_days",
    "log.level",
    "camera[0].name",
    "camera[0].source",
)


def test_twelve_mistakes_in_a_configuration_are_told_at_once(box: Box) -> None:
    box.config.write_text(TWELVE)
    ended = box.run_config()
    assert ended.code == 2
    ended.told(str(box.config), *PLACES)
    assert not box.data.exists()


@pytest.mark.slow
def test_a_label_that_the_model_does_not_know_is_a_mistake(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"\nlabels = ["unicorn"]')
    ended = box.run_config()
    assert ended.code == 2
    ended.told("unicorn", "person")
    ended = box.run_config("--trace", "t.txt", "--trace-label", "unicorn")
    assert ended.code == 2
    ended.told("unicorn", "person")


@pytest.mark.slow
def test_a_model_that_is_not_there_is_told_by_name(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"')
    box.config.write_text(box.config.read_text().replace("./spot", "./nowhere"))
    ended = box.run_config()
    assert ended.code == 4
    ended.told("nowhere")
    ended = box.run("models", "verify", "./nowhere")
    assert ended.code == 4
    ended.told("nowhere")


@pytest.mark.slow
def test_a_model_with_swapped_files_is_refused(box: Box, clip: Path) -> None:
    param, binary = box.model / "spot.param", box.model / "spot.bin"
    weights = binary.read_bytes()
    binary.write_bytes(param.read_bytes())
    param.write_bytes(weights)
    box.configure(f'source = "{clip}"')
    ended = box.run_config()
    assert ended.code == 4
    ended.told("spot.param")
    assert not (box.data / "events.db").exists()


@pytest.mark.slow
def test_a_model_with_cut_off_weights_is_refused(box: Box) -> None:
    binary = box.model / "spot.bin"
    binary.write_bytes(binary.read_bytes()[:20])
    ended = box.run("models", "verify", "./spot")
    assert ended.code == 4
    ended.told("spot.bin")


@pytest.mark.slow
def test_a_database_from_the_future_is_refused_and_left_alone(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"')
    box.run_config()
    path = box.data / "events.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    for ended in (box.run_config(), box.run("events", "--data", box.data)):
        assert ended.code == 5
        ended.told(str(path), "newer edged")
    assert path.read_bytes() == before


@pytest.mark.slow
def test_outputs_that_cannot_be_written_are_told_by_name(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"')
    ended = box.run_config("--trace", "/nowhere/t.txt")
    assert ended.code == 7
    ended.told("/nowhere/t.txt")
    demo = ("demo", "--source", clip, "--model", "./spot")
    ended = box.run(*demo, "--data", "/proc/nowhere")
    assert ended.code == 7
    ended.told("/proc/nowhere")
    ended = box.run(*demo, "--data", "out", "--trace", "/dev/full")
    assert ended.code == 7
    ended.told("/dev/full", "No space left")


@pytest.mark.slow
def test_asking_for_what_never_ran_is_answered_in_words(box: Box) -> None:
    events, status = box.run("events", "--data", "nowhere"), box.run("status", "--data", "nowhere")
    assert (events.code, status.code) == (5, 6)
    events.told("nowhere/events.db")
    status.told("nowhere/status.json")


@pytest.mark.slow
def test_every_model_that_is_listed_can_be_named(box: Box) -> None:
    listed = box.run("models", "list")
    assert listed.code == 0
    rows = map(str.split, listed.out.splitlines()[3:])
    names = [words[0] for words in takewhile(bool, rows)]  # below a blank line is where to get others
    assert names
    for name in names:
        assert box.run("models", "verify", name).code == 0
