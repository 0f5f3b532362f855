"""What the experiments' findings mean: the promises of docs/cameras.md, line by line."""

from __future__ import annotations

import statistics
from typing import Any

from report import Row

DETECTED_MAX_S = 2.0
RECOVERED_MAX_S = 3.0
GROWTH_MAX_KB = 1024  # over 200 reopenings, once the allocator has settled; leaked pictures would be 22 MiB

_HELD = ("files", "device_maps", "threads")


def stream(name: str, seen: dict[str, Any], fps: float) -> Row:
    """Hold a stream to its rate, without a frame missed by the driver."""
    rate = (seen["frames"] + seen["dropped"] - 1) / seen["seconds"]
    found = f"{rate:.1f} fps, {seen['frames']} frames, {seen['missed']} missed, {seen['dropped']} passed over"
    kept = seen["missed"] == 0 and seen["corrupt"] == 0 and rate > 0.95 * fps and seen["contrast"] > 5
    return Row(name, found, f"{fps:g} fps, 0 missed", kept)


def fault(found: dict[str, Any]) -> list[Row]:
    """Hold the meeting of one kind of fault to its promises."""
    met = found["met"]
    title = f"{found['title']} × {len(met)}"
    detected = [one["detected_after_s"] for one in met]
    rows = [times(f"{title}: detected", detected, DETECTED_MAX_S)]
    told, kinds = found["events"], ["camera_lost", "camera_back"]
    if found["fault"] == "damaged":
        kinds = []  # the stream goes on
        reasons = "no outage"
    else:
        rows.append(times("  recovered", [one["recovered_after_s"] for one in met], RECOVERED_MAX_S))
        reasons = f"reason: {', '.join(found['reasons'])}"
    events = f"{told.count('camera_lost')} × camera_lost, {told.count('camera_back')} × camera_back, {reasons}"
    promised = "one of each a fault" if kinds else "none: one frame is dropped"
    rows.append(Row("  events", events, promised, told == kinds * len(met)))
    before, after = ({key: found[when][key] for key in _HELD} for when in ("before", "after"))
    held = ", ".join(f"{key.replace('_', ' ')} {before[key]} → {after[key]}" for key in _HELD)
    rows.append(Row("  held before → after", held, "the same", before == after))
    return rows


def reopenings(found: dict[str, Any]) -> list[Row]:
    """Hold what is held after many reopenings to what was held before."""
    held = found["held"]
    first, last = held[0], held[-1]
    growth_kb = last["resident_kb"] - first["resident_kb"]
    name = f"{found['times']} reopenings"
    memory = f"memory {first['resident_kb'] / 1024:.1f} → {last['resident_kb'] / 1024:.1f} MiB"
    things = ", ".join(f"{key.replace('_', ' ')} {first[key]} → {last[key]}" for key in _HELD)
    same = all(one[key] == first[key] for one in held for key in _HELD)
    return [
        Row(f"{name}: memory", memory, f"at most {GROWTH_MAX_KB // 1024} MiB more", growth_kb <= GROWTH_MAX_KB),
        Row("  held before → after", things, "the same", same),
    ]


def refusal(name: str, found: dict[str, Any], *, error: str, says: str) -> Row:
    """Hold a refusal to its error and to what it must name."""
    message = found["message"] + " " + found["hint"]
    return Row(name, found["message"], f"{error}, naming {says!r}", found["error"] == error and says in message)


def times(what: str, seconds: list[float], longest_s: float) -> Row:
    """Hold the worst of some times to a bound."""
    median_s, worst_s = statistics.median(seconds), max(seconds)
    found = f"median {median_s:.2f} s, worst {worst_s:.2f} s"
    return Row(what, found, f"at most {longest_s:g} s", worst_s <= longest_s)
