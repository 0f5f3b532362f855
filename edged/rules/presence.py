"""Who came into view, and who is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from edged.domain.events import EventKind, LeftReason, TrackEvent
from edged.domain.tracks import Tracks
from edged.rules.rejoin import mismatch
from edged.rules.visit import Visit, foot, is_usable

_SAME_S = 1e-6  # instants are floats: ten frames at ten a second are a second, whatever the clock said at the first


class Presence:
    """Says `appeared` when an object has been in view for a while, and `left` when it is gone: once each an object.

    Only real sightings count (`seen_at` equals `at`), never predictions. A track that never appeared never leaves.

    A tracker may give one object a second track. So a new track is compared with the objects that vanished shortly
    before it started (edged.rules.rejoin); one that fits goes on with the old visit, under the old `track_id`, and
    nothing is said. That is why `left` comes late: `rejoin_within_s` after the last sighting, whose instant it bears.
    A track that starts while the other is still being seen is never the same object.
    """

    def __init__(
        self,
        camera: str,
        labels: Sequence[str],
        *,
        seen_for_s: float = 1.0,
        rejoin_within_s: float = 3.0,
        wanted: Collection[str] = (),
    ) -> None:
        """`labels` are the model's, by class_id; of these, only objects `wanted` by label appear, all if it is empty.

        `rejoin_within_s` 0 takes every track for an object of its own.
        """
        self._camera = camera
        self._labels = labels
        self._wanted = frozenset(wanted or labels)
        self._seen_for_s = seen_for_s
        self._rejoin_within_s = rejoin_within_s
        self._visits: dict[int, Visit] = {}  # by the track that the object has now
        self._gone: list[Visit] = []  # appeared, track removed, not told yet: it may come back

    def update(self, tracks: Tracks) -> list[TrackEvent]:
        """Take in the tracks of one instant and say what happened."""
        self._end_visits(listed=set(tracks.track_id.tolist()))
        events = []
        for track in tracks:
            if track.seen_at == tracks.at and is_usable(track):
                visit = self._visits.get(track.track_id)
                if visit is None:
                    self._visits[track.track_id] = Visit.begin(track)
                else:
                    visit.see(track)
        for track_id, visit in list(self._visits.items()):
            if not visit.appeared and visit.seen_at == tracks.at and self._has_shown_itself(visit):
                events += self._appear(track_id, visit)
        return self._leave(tracks.at) + events

    def followed(self) -> Mapping[int, int]:
        """The track_ids of the objects in view and of those that may come back; see ports.Rule."""
        names = {visit.track_id: visit.track_id for visit in (*self._visits.values(), *self._gone)}
        return names | {track_id: visit.track_id for track_id, visit in self._visits.items()}

    def is_due(self, at: float) -> bool:
        """Whether an object has been in view for long enough but for a sighting now; see ports.Rule."""
        return any(
            not visit.appeared
            and not self._was_seen_for_long(visit, visit.seen_at)
            and self._was_seen_for_long(visit, at)
            and self._is_wanted(visit)
            for visit in self._visits.values()
        )

    def finish(self, at: float) -> list[TrackEvent]:
        """No more tracks will come: close what is open. `at` is not used, since `left` bears the last sighting."""
        gone, here = self._gone, [visit for visit in self._visits.values() if visit.appeared]
        self._gone, self._visits = [], {}
        return self._left(gone, LeftReason.GONE) + self._left(here, LeftReason.ENDED)

    def _end_visits(self, *, listed: set[int]) -> None:
        for track_id in self._visits.keys() - listed:
            visit = self._visits.pop(track_id)
            if visit.appeared:
                self._gone.append(visit)

    def _has_shown_itself(self, visit: Visit) -> bool:
        return visit.confirmed and self._was_seen_for_long(visit, visit.seen_at) and self._is_wanted(visit)

    def _was_seen_for_long(self, visit: Visit, at: float) -> bool:
        return at - visit.started_at >= self._seen_for_s - _SAME_S

    def _is_wanted(self, visit: Visit) -> bool:
        return self._labels[visit.class_id] in self._wanted

    def _appear(self, track_id: int, visit: Visit) -> list[TrackEvent]:
        """Tell of a new object, unless it is an old one, or may yet prove to be one that the tracker looks for."""
        if any(self._mismatch(other, visit) is not None for other in self._visits.values() if other.appeared):
            return []
        fits = [(off, old) for old in self._gone if (off := self._mismatch(old, visit)) is not None]
        if fits:
            _, old = min(fits, key=lambda fit: fit[0])
            old.go_on_as(visit)
            self._gone.remove(old)
            self._visits[track_id] = old
            return []
        visit.appeared = True
        return [self._event(EventKind.APPEARED, visit)]

    def _leave(self, at: float) -> list[TrackEvent]:
        young = [visit for visit in self._visits.values() if not visit.appeared]
        staying: list[Visit] = []
        leaving: list[Visit] = []
        for old in self._gone:
            may_return = at - old.seen_at < self._rejoin_within_s
            # asked last, since it takes longest: it may be here as one of those who are not told of yet
            stays = may_return or any(self._mismatch(old, visit) is not None for visit in young)
            (staying if stays else leaving).append(old)
        self._gone = staying
        return self._left(leaving, LeftReason.GONE)

    def _left(self, visits: Iterable[Visit], reason: LeftReason) -> list[TrackEvent]:
        in_order = sorted(visits, key=lambda visit: (visit.seen_at, visit.track_id))
        return [self._event(EventKind.LEFT, visit, reason) for visit in in_order]

    def _mismatch(self, old: Visit, new: Visit) -> float | None:
        return mismatch(old, new, within_s=self._rejoin_within_s)

    def _event(self, kind: EventKind, visit: Visit, reason: LeftReason | None = None) -> TrackEvent:
        return TrackEvent(
            kind=kind,
            camera=self._camera,
            at=visit.seen_at,
            track_id=visit.track_id,
            label=self._labels[visit.class_id],
            confidence=visit.confidence,
            xyxy=visit.xyxy,
            entry_xy=foot(visit.entry_xyxy),
            exit_xy=foot(visit.xyxy) if kind is EventKind.LEFT else None,
            started_at=visit.started_at,
            duration_s=visit.seen_at - visit.started_at,
            reason=reason,
        )
