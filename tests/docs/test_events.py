"""docs/events.md knows every kind of event, every field, and every reason."""

from __future__ import annotations

import json

import pytest

from edged.domain.events import EventKind, EventRecord, LeftReason, TrackEvent
from edged.errors import SourceError
from edged.store.record_json import record_to_json
from tests.docs.documents import ROOT, fenced

DOCUMENT = ROOT / "docs" / "events.md"

LEFT = TrackEvent(
    EventKind.LEFT, "yard", 2.0, 1, "person", 0.5, (0, 0, 1, 1), (0, 1), (0, 1), 1.0, 1.0, LeftReason.GONE
)


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_is_described(kind: EventKind) -> None:
    assert f"\n| `{kind}` | " in DOCUMENT.read_text()


def test_every_reason_of_an_outage_is_described() -> None:
    faults: list[type[SourceError]] = [SourceError, *SourceError.__subclasses__()]
    words = {fault.reason for fault in faults}
    text = DOCUMENT.read_text()
    assert [word for word in sorted(words) if f"\n| `{word}` | " not in text] == []


def test_the_example_has_the_fields_of_a_real_event() -> None:
    real = record_to_json(EventRecord("id", LEFT, wall_at=0.0, boot_id="boot", run_id="run", snapshot=None))
    (example,) = fenced(DOCUMENT, "json")
    assert list(json.loads(example)) == list(real)
