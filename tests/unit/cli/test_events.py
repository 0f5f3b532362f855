from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import pytest

from edged.cli.follow import newer
from edged.clock import Clock
from edged.domain.events import CameraEvent, Event, EventKind, EventRecord, LeftReason, MachineEvent, TrackEvent
from edged.store.events import EventStore
from edged.store.reader import EventFilter, EventLog
from edged.testing.clock import FakeClock
from tests.unit.cli.conftest import EDGED, Edged

# Once as oneself, which imports all that it takes: another user may not be able to read the program.
TWICE = """
import contextlib, os, sys
from edged.cli.main import main
with contextlib.suppress(SystemExit):
    main(sys.argv[1:])
if os.getuid() == 0:
    os.setuid(65534)
main(sys.argv[1:])
"""


def event(kind: EventKind, *, at: float, camera: str = "yard", label: str = "person", track_id: int = 1) -> TrackEvent:
    left = kind is EventKind.LEFT
    return TrackEvent(
        kind=kind,
        camera=camera,
        at=at,
        track_id=track_id,
        label=label,
        confidence=0.874,
        xyxy=(10.0, 20.0, 30.0, 60.0),
        entry_xy=(20.0, 60.0),
        exit_xy=(25.0, 61.0) if left else None,
        started_at=at - 75.0,
        duration_s=75.0,
        reason=LeftReason.GONE if left else None,
    )


def fill(folder: Path, clock: FakeClock, *events: tuple[Event, bytes | None]) -> None:
    store = EventStore(folder, clock=clock, version="0.1.0")
    store.open()
    for one, jpeg in events:
        store.put(one, jpeg)
    store.flush()
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of four events, on 14 November 2023 around 22:13 UTC."""
    clock = FakeClock()
    fill(
        tmp_path,
        clock,
        (event(EventKind.APPEARED, at=1000.0), b"jpeg"),
        (event(EventKind.APPEARED, at=1060.0, camera="gate", label="car"), None),
        (event(EventKind.LEFT, at=1120.0), None),
        (event(EventKind.LEFT, at=1180.0, camera="gate", label="car"), None),
    )
    return tmp_path


def listed(edged: Edged, folder: Path, *options: str) -> list[str]:
    result = edged("events", "--data", folder, "--json", *options)
    assert result.code == 0
    return [f"{line['camera']} {line['kind']}" for line in map(json.loads, result.out.splitlines())]


def test_events_are_listed_oldest_first(edged: Edged, folder: Path) -> None:
    assert listed(edged, folder) == ["yard appeared", "gate appeared", "yard left", "gate left"]


def test_until_a_day_includes_the_day(edged: Edged, folder: Path) -> None:
    day = datetime.fromtimestamp(FakeClock().wall()).astimezone().date().isoformat()
    assert len(listed(edged, folder, "--until", day)) == 4
    assert len(listed(edged, folder, "--since", day)) == 4


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--camera", "gate"], ["gate appeared", "gate left"]),
        (["--kind", "left"], ["yard left", "gate left"]),
        (["--label", "person"], ["yard appeared", "yard left"]),
        (["--label", "person", "--label", "car", "--kind", "left"], ["yard left", "gate left"]),
        (["--camera", "gate", "--camera", "porch"], ["gate appeared", "gate left"]),
        (["--kind", "left", "--kind", "appeared", "--limit", "3"], ["gate appeared", "yard left", "gate left"]),
        (["--limit", "1"], ["gate left"]),
        (["--since", "2023-11-14T22:14:30Z"], ["yard left", "gate left"]),
        (["--until", "2023-11-14T22:14:30Z"], ["yard appeared", "gate appeared"]),
        (["--since", "2023-11-13", "--until", "2023-11-16", "--camera", "yard"], ["yard appeared", "yard left"]),
        (["--since", "1h"], []),
        (["--label", "dog"], []),
    ],
)
def test_events_are_chosen_by_what_is_asked(
    edged: Edged, folder: Path, options: list[str], expected: list[str]
) -> None:
    assert listed(edged, folder, *options) == expected


def test_the_table_shows_what_people_want_to_know(edged: Edged, folder: Path) -> None:
    lines = edged("events", "--data", folder).out.splitlines()
    (first,) = (line for line in lines if "yard" in line and "appeared" in line)
    for words in ("2023-11-14 ", "person", "87%", "1 min 15 s"):
        assert words in first
    picture = next(word for word in first.split() if word.endswith(".jpg"))
    assert (folder / picture).read_bytes() == b"jpeg"
    assert lines[-2:] == [f"snapshots are below {folder}", "4 events"]


@pytest.fixture
def outage(folder: Path) -> Path:
    """The same log, and a camera that was away for 75 s."""
    lost = CameraEvent(
        EventKind.CAMERA_LOST, "gate", 1200.0, 1200.0, "unplugged", "/dev/video0 went away: no such device"
    )
    back = CameraEvent(EventKind.CAMERA_BACK, "gate", 1275.0, 1200.0, "unplugged")
    fill(folder, FakeClock(wall=1_700_000_100.0), (lost, None), (back, None))
    return folder


def test_an_outage_is_told_with_its_reason_and_when_it_is_over_with_its_length(edged: Edged, outage: Path) -> None:
    lines = edged("events", "--data", outage, "--camera", "gate").out.splitlines()
    lost, back = (re.split(" {2,}", line)[1:] for line in lines[-3:-1])
    assert lost == ["gate", "camera_lost", "unplugged", "/dev/video0 went away: no such device"]
    assert back == ["gate", "camera_back", "unplugged", "1 min 15 s"]


def test_an_event_of_the_machine_is_of_no_camera(edged: Edged, folder: Path) -> None:
    hot = MachineEvent(EventKind.TOO_HOT, 1200.0, 1200.0, "stop", "86 °C: inference is stopped")
    fill(folder, FakeClock(wall=1_700_000_100.0), (hot, None))
    line = edged("events", "--data", folder, "--kind", "too_hot").out.splitlines()[-2]
    assert re.split(" {2,}", line)[1:] == ["too_hot", "stop", "86 °C: inference is stopped"]
    facts = json.loads(edged("events", "--data", folder, "--kind", "too_hot", "--json").out)
    assert (facts["camera"], facts["detail"]) == (None, "86 °C: inference is stopped")
    told = edged("events", "--data", folder, "--camera", "dock").err
    assert told.endswith("its newest are of: gate, yard.\n")


def test_events_of_cameras_are_chosen_by_kind_and_have_no_label(edged: Edged, outage: Path) -> None:
    assert listed(edged, outage, "--kind", "camera_lost") == ["gate camera_lost"]
    assert listed(edged, outage, "--label", "unplugged") == []
    told = edged("events", "--data", outage, "--label", "dog").err
    assert told == "No event in the log is of the label 'dog'; its newest are of: car, person.\n"


@pytest.mark.parametrize("columns", [200, 100, 80, 40])
def test_words_and_paths_stay_whole_however_narrow_the_terminal(
    edged: Edged, outage: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    wide = edged("events", "--data", outage).out
    monkeypatch.setenv("COLUMNS", str(columns))
    narrow = edged("events", "--data", outage).out
    assert set(narrow.split()) >= set(wide.split()) - {"snapshot"}
    whole = [line for line in narrow.splitlines() if "/" not in line]  # a path is left to the terminal to break
    assert max(map(len, whole)) <= columns


@pytest.mark.parametrize("columns", ["0", "", "wide"])
def test_a_width_that_is_none_hides_nothing(
    edged: Edged, outage: Path, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    wide = edged("events", "--data", outage).out
    monkeypatch.setenv("COLUMNS", columns)
    assert set(edged("events", "--data", outage).out.split()) >= set(wide.split()) - {"snapshot"}


def test_a_limit_that_hides_events_is_said(edged: Edged, folder: Path) -> None:
    assert edged("events", "--data", folder, "--limit", "3").out.endswith("the newest 3; --limit N shows more\n")
    assert edged("events", "--data", folder, "--limit", "4").out.endswith("4 events\n")


def test_no_events_are_said_to_be_none(edged: Edged, folder: Path) -> None:
    assert edged("events", "--data", folder, "--label", "dog").out == "0 events\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--camera", "yrad"], "No event in the log is of the camera 'yrad'; its newest are of: gate, yard."),
        (["--label", "dog"], "No event in the log is of the label 'dog'; its newest are of: car, person."),
        (
            ["--camera", "caf\udce9"],
            r"No event in the log is of the camera 'caf\udce9'; its newest are of: gate, yard.",
        ),
        (["--camera", "yard", "--label", "car"], None),
        (["--camera", "yard", "--since", "1h"], None),
    ],
)
def test_a_name_that_is_not_in_the_log_is_told_with_those_that_are(
    edged: Edged, folder: Path, options: list[str], told: str | None
) -> None:
    result = edged("events", "--data", folder, *options)
    assert (result.code, result.out) == (0, "0 events\n")
    assert result.err.splitlines() == ([] if told is None else [told])


def test_an_empty_log_has_no_names_to_tell(edged: Edged, tmp_path: Path) -> None:
    fill(tmp_path, FakeClock())
    result = edged("events", "--data", tmp_path, "--camera", "yard")
    assert (result.code, result.out, result.err) == (0, "0 events\n", "")


def test_what_goes_on_for_ever_has_no_end(edged: Edged, folder: Path) -> None:
    result = edged("events", "--data", folder, "--follow", "--until", "1h")
    assert result.code == 2
    assert "--follow" in result.err
    assert "--until" in result.err


@pytest.mark.parametrize(("since", "until"), [("1h", "2h"), ("2026-11-20T08:15", "2026-11-20T08:15")])
def test_a_time_that_ends_before_it_begins_is_a_mistake_of_the_command_line(
    edged: Edged, folder: Path, since: str, until: str
) -> None:
    result = edged("events", "--data", folder, "--since", since, "--until", until)
    assert result.code == 2
    assert "--since" in result.err


def test_a_configuration_names_the_data_folder(edged: Edged, folder: Path) -> None:
    config = folder / "edged.toml"
    config.write_text('data_dir = "."\n[[camera]]\nname = "yard"\nsource = "/dev/video0"\n')
    assert "4 events" in edged("events", "-c", config).out


def test_a_folder_without_a_log_is_an_error_of_the_store(edged: Edged, tmp_path: Path) -> None:
    result = edged("events", "--data", tmp_path)
    assert result.code == 5
    assert "no event log" in result.err


def test_a_damaged_log_is_an_error_of_the_store(edged: Edged, folder: Path) -> None:
    (folder / "events.db").write_bytes(b"this is no database" * 100)
    assert edged("events", "--data", folder).code == 5


def damage_one(folder: Path) -> None:
    """Flip a bit in the label of the first event, so that it is no UTF-8 any more."""
    with closing(sqlite3.connect(folder / "events.db", isolation_level=None)) as connection:
        connection.execute("UPDATE events SET label = CAST(x'706572f36f6e' AS TEXT) WHERE at = 1000.0")


@pytest.mark.parametrize("form", [[], ["--json"], ["--camera", "nowhere"]])
def test_one_damaged_event_hides_no_other_and_is_named_on_stderr(edged: Edged, folder: Path, form: list[str]) -> None:
    first = EventLog(folder).newest(limit=4)[0].event_id
    damage_one(folder)
    result = edged("events", "--data", folder, *form)
    assert result.code == 0
    assert result.out.count(" left") + result.out.count('"left"') == (0 if "nowhere" in form else 2)
    assert f"Damaged, and left out: {first!r}" in result.err
    assert f"sqlite3 {folder / 'events.db'}" in result.err


def test_an_event_that_is_left_out_takes_no_place_among_the_newest(edged: Edged, folder: Path) -> None:
    damage_one(folder)
    assert listed(edged, folder, "--limit", "3") == ["gate appeared", "yard left", "gate left"]
    result = edged("events", "--data", folder, "--limit", "3")
    assert "3 events" in result.out


def test_a_log_in_a_folder_that_is_closed_to_this_user_is_an_error_of_the_store() -> None:
    with tempfile.TemporaryDirectory() as closed:  # which only its owner can reach
        data = Path(closed) / "data"
        fill(data, FakeClock(), (event(EventKind.APPEARED, at=1000.0), None))
        Path(closed).chmod(0o700 if os.geteuid() == 0 else 0)
        command = [sys.executable, "-c", TWICE, "events", "--data", str(data)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        Path(closed).chmod(0o700)
    assert ended.returncode == 5, ended.stderr
    assert f"cannot read {data / 'events.db'}: Permission denied" in ended.stderr
    assert "sudo -u edged" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_time_that_cannot_be_read_is_a_mistake_of_the_command_line(edged: Edged, folder: Path) -> None:
    result = edged("events", "--data", folder, "--since", "soon")
    assert result.code == 2
    assert "yesterday" in result.err


@pytest.mark.slow
@pytest.mark.parametrize(("form", "number"), [([], signal.SIGINT), (["--json"], signal.SIGTERM)])
def test_follow_goes_on_with_new_events_and_a_signal_ends_it_well(
    folder: Path, form: list[str], number: signal.Signals
) -> None:
    command = [*EDGED, "events", "--data", str(folder), "--label", "person", "--limit", "1", "--follow", *form]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert "yard" in process.stdout.readline()
        for camera, label in (("first", "person"), ("between", "cat"), ("second", "person")):
            fill(folder, FakeClock(), (event(EventKind.LEFT, at=1000.0, camera=camera, label=label), None))
        assert "first" in process.stdout.readline()
        assert "second" in process.stdout.readline()
        fill(folder, FakeClock(), (event(EventKind.APPEARED, at=1000.0, camera="third"), None))
        assert "third" in process.stdout.readline()
        process.send_signal(number)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_follow_ends_when_its_reader_has_seen_enough_though_nothing_comes_any_more(folder: Path) -> None:
    command = [*EDGED, "events", "--data", str(folder), "--limit", "1", "--follow"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        assert "gate" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


ALL = EventFilter()


class Watched(EventLog):
    """An event log that tells from where it was read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read_after: list[str] = []

    def read(self, wanted: EventFilter = ALL, *, after: str = "") -> Iterator[EventRecord]:
        self.read_after.append(after)
        return super().read(wanted, after=after)


class Script(FakeClock):
    """A clock that plays one scene at each wait, and has no more after the last."""

    def __init__(self, *scenes: Callable[[], None]) -> None:
        super().__init__()
        self._scenes = iter(scenes)

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        scene = next(self._scenes, None)
        if scene is None:
            raise KeyboardInterrupt
        scene()
        return False


def followed(log: EventLog, clock: Clock, *, after: str, is_running: Callable[[], bool] = lambda: True) -> list[str]:
    """The cameras of the persons that come."""
    cameras = []
    wanted = EventFilter(labels=["person"])
    with suppress(KeyboardInterrupt):
        for record in newer(log, wanted, after=after, clock=clock, is_running=is_running):
            cameras.append(record.event.camera)
    return cameras


def test_follow_does_not_read_again_what_was_not_asked_for(folder: Path) -> None:
    log = Watched(folder)
    rare = event(EventKind.LEFT, at=1000.0, camera="porch")
    common = [(event(EventKind.LEFT, at=1000.0, label="cat"), None)] * 20
    start = log.last_event_id()
    ends = [start]

    def cats() -> None:
        fill(folder, FakeClock(), *common)
        ends.append(log.last_event_id())

    def person() -> None:
        fill(folder, FakeClock(), *common, (rare, None), *common)
        ends.append(log.last_event_id())

    assert followed(log, Script(cats, cats, person, cats), after=start) == ["porch"]
    assert log.read_after == ends[:-1]


def test_follow_loses_nothing_that_is_written_between_two_questions(folder: Path) -> None:
    class Busy(Watched):
        def read(self, wanted: EventFilter = ALL, *, after: str = "") -> Iterator[EventRecord]:
            name = f"while reading {len(self.read_after)}"
            fill(folder, FakeClock(), (event(EventKind.LEFT, at=1000.0, camera=name), None))
            yield from super().read(wanted, after=after)
            fill(folder, FakeClock(), (event(EventKind.LEFT, at=1000.0, camera=f"{name}, late"), None))

    log = Busy(folder)
    names = followed(log, Script(*[lambda: None] * 3), after=log.last_event_id())
    assert names == [
        "while reading 0",
        "while reading 0, late",
        "while reading 1",
        "while reading 1, late",
        "while reading 2",
    ]


def test_follow_outlives_a_file_that_is_being_replaced(folder: Path) -> None:
    log = EventLog(folder)

    def put_aside() -> None:
        (folder / "events.db").rename(folder / "aside.db")

    def put_back() -> None:
        (folder / "aside.db").rename(folder / "events.db")
        fill(folder, FakeClock(), (event(EventKind.LEFT, at=1000.0, camera="porch"), None))

    assert followed(log, Script(put_aside, lambda: None, put_back), after=log.last_event_id()) == ["porch"]


def test_follow_outlives_a_damaged_file_and_says_so_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = EventLog(folder)
    path = folder / "events.db"

    def damage() -> None:
        path.write_bytes(b"this is no database" * 100)

    def set_aside() -> None:
        for file in folder.glob("events.db*"):
            file.rename(folder / f"damaged-{file.name}")
        later = FakeClock(wall=FakeClock().wall() + 60)  # a new file does not know the last id of the old one
        fill(folder, later, (event(EventKind.LEFT, at=1000.0, camera="porch"), None))

    nothing = [lambda: None] * 2
    assert followed(log, Script(damage, *nothing, set_aside, *nothing), after=log.last_event_id()) == ["porch"]
    (told,) = capsys.readouterr().err.splitlines()
    assert str(path) in told
    assert told.endswith("; trying again until Ctrl-C.")


def test_follow_passes_over_a_damaged_event_and_names_it_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = EventLog(folder)
    start = log.last_event_id()

    def damaged() -> None:
        fill(
            folder, FakeClock(), *[(event(EventKind.LEFT, at=1000.0, camera=name), None) for name in ("porch", "gate")]
        )
        with closing(sqlite3.connect(folder / "events.db", isolation_level=None)) as connection:
            connection.execute("UPDATE events SET kind = 'lefu' WHERE camera = 'porch'")

    def sound() -> None:
        fill(folder, FakeClock(), (event(EventKind.LEFT, at=1000.0, camera="yard"), None))

    assert followed(log, Script(damaged, sound, lambda: None), after=start) == ["gate", "yard"]
    assert capsys.readouterr().err.count("left out") == 1


def test_follow_says_once_each_time_that_the_daemon_is_gone_and_back(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = iter([True, False, False, True, False])
    followed(EventLog(folder), Script(*[lambda: None] * 5), after="z", is_running=lambda: next(running))
    told = capsys.readouterr().err.splitlines()
    gone = "The daemon is not running: nothing comes until it is started. Waiting for it."
    assert told == [gone, "The daemon is running again.", gone]


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--json"], ["--follow"]])
def test_a_reader_that_has_seen_enough_is_no_failure(tmp_path: Path, form: list[str]) -> None:
    fill(tmp_path, FakeClock(), *[(event(EventKind.APPEARED, at=1000.0 + n), None) for n in range(3000)])
    command = [*EDGED, "events", "--data", str(tmp_path), "--limit", "3000", *form]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    os.read(process.stdout.fileno(), 100)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == 0
    process.stderr.close()
