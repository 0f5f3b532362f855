from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.cli.when import wall_instant
from edged.errors import ConfigError


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


NOW = datetime.fromisoformat("2026-11-20T15:30:00+01:00").timestamp()


def instant(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("90s", "2026-11-20T15:28:30+01:00"),
        ("15m", "2026-11-20T15:15:00+01:00"),
        ("15 min", "2026-11-20T15:15:00+01:00"),
        ("2h", "2026-11-20T13:30:00+01:00"),
        ("1.5h", "2026-11-20T14:00:00+01:00"),
        ("3d", "2026-11-17T15:30:00+01:00"),
        ("1w", "2026-11-13T15:30:00+01:00"),
        ("today", "2026-11-20T00:00:00+01:00"),
        ("Yesterday", "2026-11-19T00:00:00+01:00"),
        ("2026-11-18", "2026-11-18T00:00:00+01:00"),
        ("2026-11-18 08:15", "2026-11-18T08:15:00+01:00"),
        ("2026-11-18T08:15:30", "2026-11-18T08:15:30+01:00"),
        ("2026-11-18T08:15:30Z", "2026-11-18T08:15:30+00:00"),
        ("2026-11-18T08:15:30-05:00", "2026-11-18T08:15:30-05:00"),
        ("2026-07-01 12:00", "2026-07-01T12:00:00+02:00"),
    ],
)
def test_what_people_write_is_an_instant(text: str, iso: str) -> None:
    assert wall_instant(text, wall_now=NOW) == instant(iso)


@pytest.mark.parametrize("text", ["2h", "today", "2026-11-18", "2026-11-18 08:15"])
def test_a_time_zone_a_day_away_is_no_obstacle(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XXX-24")
    time.tzset()
    assert wall_instant(text, wall_now=NOW) < NOW


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("today", "2026-11-21T00:00:00+01:00"),
        ("yesterday", "2026-11-20T00:00:00+01:00"),
        ("2026-10-25", "2026-10-26T00:00:00+01:00"),  # 25 hours long: the clocks are put back
        ("2h", "2026-11-20T13:30:00+01:00"),
    ],
)
def test_a_whole_day_can_mean_its_end(text: str, iso: str) -> None:
    assert wall_instant(text, wall_now=NOW, end_of_day=True) == instant(iso)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2x",
        "2026-13-01",
        "2026-02-30",
        "9999999999d",
        "h",
        "1e9h",
        "-2h",
        "20261120",
        "2026-W47",
        "20261120T08",
    ],
)
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ConfigError, match="no time that edged can read") as caught:
        wall_instant(text, wall_now=NOW)
    assert "2h" in caught.value.hint


@given(st.text(max_size=20))
def test_no_text_makes_it_fail_in_another_way(text: str) -> None:
    try:
        wall_instant(text, wall_now=1.7e9)
    except ConfigError:
        return
