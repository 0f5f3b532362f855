"""How far a run that spends less agrees with one that looks at every frame: objects missed, told twice, told late."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from edged.domain.boxes import iou
from edged.domain.events import Box, EventKind, TrackEvent
from edged.domain.tracks import Tracks
from edged.ports import Rule

_SAME = 0.4  # overlap from which two boxes of one frame show one object: a predicted box is a little off
_STAYS_S = 2.0  # objects that stay less long may be missed

Boxes = Mapping[int, Box]
"""By the track_id that events bear, who is in view."""

Places = list[Mapping[int, int]]
"""Frame by frame, whose place an object stands in: the other run's track_id by its own."""


@dataclass(slots=True)
class Run:
    """What came of one recording under one policy."""

    policy: str
    at: list[float] = field(default_factory=list)  # monotonic seconds, frame by frame
    boxes: list[Boxes] = field(default_factory=list)  # frame by frame
    events: list[TrackEvent] = field(default_factory=list)
    looks: int = 0
    cpu_s: float = 0.0  # detector, glances, tracker and rules; decoding the recording is the same for all
    busy_s: float = 0.0  # the same by the clock

    def show(self, tracks: Tracks, rules: Iterable[Rule]) -> None:
        """Note whom the next frame shows, by the names that the rules' events give them."""
        name_of = {track_id: name for rule in rules for track_id, name in rule.followed().items()}
        confirmed = tracks.confirmed()
        ids, boxes = confirmed.track_id.tolist(), np.asarray(confirmed.xyxy, float).tolist()
        self.at.append(tracks.at)
        self.boxes.append({name_of.get(i, i): tuple(box) for i, box in zip(ids, boxes, strict=True)})

    @property
    def appeared(self) -> list[TrackEvent]:
        """The objects that were told of, in order."""
        return [event for event in self.events if event.kind is EventKind.APPEARED]

    def in_view(self, track_id: int) -> list[int]:
        """The frames that show the object."""
        return [seq for seq, boxes in enumerate(self.boxes) if track_id in boxes]

    def before_telling(self, event: TrackEvent) -> list[int]:
        """The frames that show the object from its first sighting until it was told of."""
        frames = range(bisect_left(self.at, event.started_at), bisect_right(self.at, event.at))
        return [seq for seq in frames if event.track_id in self.boxes[seq]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """A run beside the one that looked at every frame. Counts are objects."""

    runs_saved: float  # share of the detector's runs, 0..1
    cpu_saved: float  # share of the CPU time, 0..1
    alike: float  # 2 × boxes in common / boxes of both, 0..1
    appeared: int  # in the run that looked at every frame
    stayed: int  # … for longer than two seconds
    missed: int  # of those that stayed
    joined: int  # of those that stayed: in view, but taken for somebody who had been told of
    duplicated: int  # told again, under another name
    extra: int  # told, though the other run does not tell of them
    late_s: tuple[float, ...]  # from one telling to the other, of each object told of and not joined; earlier: below 0

    @property
    def late_p95_s(self) -> float:
        """Their 95th percentile; 0 where there is none."""
        return pooled_late_p95_s([self])


def compare(every: Run, run: Run) -> Agreement:
    """Hold `run` against the run `every`, which looked at every frame of the same recording.

    Where people cross, a tracker may exchange them, in either run, and from then on no name means the same in both. So
    a telling is about the object in whose place it stood until it was told; what became of the name later is no matter.
    Where somebody who had been told of took the place of a newcomer, nobody was told late: the two were joined.
    """
    places, alike = _places(every.boxes, run.boxes)
    first = {event.track_id: event for event in every.appeared}
    about = [_about(event, run, places, first) for event in run.appeared]
    told: dict[int, list[float]] = {}
    for event, who in zip(run.appeared, about, strict=True):
        if who is not None:
            told.setdefault(who, []).append(event.at)
    joined = _joined(every, first.values(), told, _known(run, places))
    left = [event for event in every.events if event.kind is EventKind.LEFT]
    stayed = {event.track_id for event in left if event.duration_s > _STAYS_S} & first.keys()
    return Agreement(
        runs_saved=1 - run.looks / max(every.looks, 1),
        cpu_saved=1 - run.cpu_s / every.cpu_s if every.cpu_s else 0.0,
        alike=alike,
        appeared=len(first),
        stayed=len(stayed),
        missed=len(stayed - told.keys() - joined),
        joined=len(stayed & joined),
        duplicated=sum(len(tellings) - (who not in joined) for who, tellings in told.items()),
        extra=about.count(None),
        late_s=tuple(tellings[0] - first[who].at for who, tellings in told.items() if who not in joined),
    )


def pooled_late_p95_s(agreements: Iterable[Agreement]) -> float:
    """The 95th percentile of late_s of several recordings together; 0 where there is none."""
    late_s = [late for agreement in agreements for late in agreement.late_s]
    return float(np.percentile(late_s, 95)) if late_s else 0.0


def _about(event: TrackEvent, run: Run, places: Places, first: Collection[int]) -> int | None:
    """Say which object of `first` a telling of `run` is about: in whose place it mostly stood; None for nobody's."""
    frames = run.before_telling(event)
    stood_for = Counter(places[seq].get(event.track_id) for seq in frames)
    who = max(first, key=lambda one: stood_for[one], default=None)
    return who if who is not None and 2 * stood_for[who] >= len(frames) else None


def _joined(
    every: Run, first: Iterable[TrackEvent], told: Mapping[int, Sequence[float]], known: Sequence[Collection[int]]
) -> set[int]:
    """Say in whose place somebody `known` stood while they should have been told of, or for half of their frames."""
    joined = set()
    for event in first:
        who = event.track_id
        if who not in told:
            frames = every.in_view(who)
        elif told[who][0] > event.at:
            frames = every.before_telling(event)
        else:
            continue
        if 2 * sum(who in known[seq] for seq in frames) >= len(frames):
            joined.add(who)
    return joined


def _known(run: Run, places: Places) -> list[set[int]]:
    """Say frame by frame in whose place somebody stands whom `run` has told of."""
    told_at = {event.track_id: event.at for event in run.appeared}
    return [
        {who for name, who in place.items() if told_at.get(name, np.inf) <= at}
        for at, place in zip(run.at, places, strict=True)
    ]


def _places(every: Iterable[Boxes], run: Iterable[Boxes]) -> tuple[Places, float]:
    """Say in whose place of `every` each object of `run` stands; also how alike all boxes are, 0..1."""
    places: Places = []
    same = boxes = 0
    for wanted, got in zip(every, run, strict=True):
        boxes += len(wanted) + len(got)
        place: dict[int, int] = {}
        if wanted and got:
            names = list(wanted)
            overlaps = iou(np.array(list(got.values())), np.array(list(wanted.values())))
            best = overlaps.argmax(axis=1).tolist()
            near = (overlaps.max(axis=1) >= _SAME).tolist()
            place = {name: names[index] for name, index, is_near in zip(got, best, near, strict=True) if is_near}
            same += min(len(place), int((overlaps.max(axis=0) >= _SAME).sum()))
        places.append(place)
    return places, 2 * same / boxes if boxes else 1.0
