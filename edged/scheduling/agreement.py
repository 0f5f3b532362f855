"""How far a run that spends less agrees with one that looks at every frame: objects missed, told twice, told late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from edged.domain.boxes import iou
from edged.domain.events import Box, EventKind, TrackEvent

_SAME = 0.4  # overlap from which two boxes of one frame show one object: a predicted box is a little off
_STAYS_S = 2.0  # objects that stay less long may be missed

Boxes = Mapping[int, Box]
"""By the track_id that events bear, who is in view."""


@dataclass(slots=True)
class Run:
    """What came of one recording under one policy."""

    policy: str
    boxes: list[Boxes] = field(default_factory=list)  # frame by frame
    events: list[TrackEvent] = field(default_factory=list)
    looks: int = 0
    cpu_s: float = 0.0  # detector, glances, tracker and rules; decoding the recording is the same for all

    @property
    def appeared(self) -> list[TrackEvent]:
        """The objects that were told of, in order."""
        return [event for event in self.events if event.kind is EventKind.APPEARED]


@dataclass(frozen=True, slots=True)
class Agreement:
    """A run beside the one that looked at every frame. Counts are objects."""

    runs_saved: float  # share of the detector's runs, 0..1
    cpu_saved: float  # share of the CPU time, 0..1
    alike: float  # 2 × boxes in common / boxes of both, 0..1
    appeared: int  # in the run that looked at every frame
    stayed: int  # … for longer than two seconds
    missed: int  # of those that stayed
    duplicated: int  # told again, under another name
    extra: int  # told, though the other run does not tell of them
    late_p95_s: float  # from one run's telling to the other's, 95th percentile; earlier counts as negative


def compare(every: Run, run: Run) -> Agreement:
    """Hold `run` against the run `every`, which looked at every frame of the same recording.

    A tracker may split or join objects otherwise, in either run. So an object counts as told when for half of its
    frames somebody stands in its place who was told of, under one name or several.
    """
    shared, lengths, alike = _frames_in_common(every.boxes, run.boxes)
    owner = {name: counts.most_common(1)[0][0] for name, counts in shared.items()}
    stays = {event.track_id: event.duration_s for event in every.events if event.kind is EventKind.LEFT}
    first = {event.track_id: event.at for event in every.appeared}
    covered: Counter[int] = Counter()
    told_at: dict[int, float] = {}
    for event in run.appeared:
        for who, frames in shared.get(event.track_id, Counter()).items():
            covered[who] += frames
            if 2 * frames >= min(lengths[who], sum(shared[event.track_id].values())):
                told_at[who] = min(told_at.get(who, event.at), event.at)
    missed = {who for who in first if 2 * covered[who] < lengths[who]}
    late = [told_at[who] - at for who, at in first.items() if who in told_at and who not in missed]
    stayed = {who for who in first if stays.get(who, 0.0) > _STAYS_S}
    tellings = Counter(owner[event.track_id] for event in run.appeared if event.track_id in owner)
    return Agreement(
        runs_saved=1 - run.looks / max(every.looks, 1),
        cpu_saved=1 - run.cpu_s / every.cpu_s if every.cpu_s else 0.0,
        alike=alike,
        appeared=len(first),
        stayed=len(stayed),
        missed=len(missed & stayed),
        duplicated=sum(count - 1 for who, count in tellings.items() if who in first),
        extra=sum(owner.get(event.track_id) not in first for event in run.appeared),
        late_p95_s=float(np.percentile(late, 95)) if late else 0.0,
    )


def _frames_in_common(
    every: Sequence[Boxes], run: Sequence[Boxes]
) -> tuple[dict[int, Counter[int]], Counter[int], float]:
    """Say of each object of `run` for how many frames it stands where which object of `every` does.

    Also for how many frames each object of `every` is there, and how alike all boxes are, 0..1.
    """
    shared: dict[int, Counter[int]] = {}
    lengths: Counter[int] = Counter()
    same = boxes = 0
    for wanted, got in zip(every, run, strict=True):
        boxes += len(wanted) + len(got)
        lengths.update(wanted.keys())
        if not wanted or not got:
            continue
        names = list(wanted)
        overlaps = iou(np.array(list(got.values())), np.array(list(wanted.values())))
        for name, row in zip(got, overlaps, strict=True):
            best = int(row.argmax())
            if row[best] >= _SAME:
                shared.setdefault(name, Counter())[names[best]] += 1
        same += min(int((overlaps.max(axis=axis) >= _SAME).sum()) for axis in (0, 1))
    return shared, lengths, 2 * same / boxes if boxes else 1.0
