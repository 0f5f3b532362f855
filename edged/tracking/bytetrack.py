"""ByteTrack: every detection counts, the doubtful ones only where a track already waits for them.

Source: Zhang et al. 2022, "ByteTrack: Multi-Object Tracking by Associating Every Detection Box". At a constant frame
rate the confirmed tracks are those of the authors' code, box for box. On top of it: real time steps, groups of
classes, a memory that holds only living tracks, and care where frames were skipped. An update then stands for all the
frames since the last one, and what is predicted for it is less sure. So

- a track and a detection must stand on one level (assignment.level) to be alike; of a newcomer, who may be coming
  nearer, that is not asked;
- a newcomer, and a track that was lost just now, go on with a doubtful detection too: a skipped frame might have shown
  them better;
- a second sighting needs less overlap;
- a detection needs less confidence to begin a track, the less the more frames were skipped: the best of them might
  have had enough; a high one will do where somebody was glimpsed before and has moved since;
- a track that begins counts from the doubtful sightings that led to it (glimpses);
- who stands, is known for a while and is missed once stays CONFIRMED: on the next frame the detector often finds him.

On the mean of five plays this won 1.0 HOTA and 1.2 MOTA with one frame of 4 or 5 on MOT17-02, 04 and 09, and up to 0.6
HOTA with one of 2 or 3 on six sequences of MOT15; but for the lower confidence, which costs a little and tells sooner.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count, islice

import numpy as np
import numpy.typing as npt

from edged.domain.detections import Detections
from edged.domain.tracks import Tracks, TrackState
from edged.tracking.assignment import level, match, overlap
from edged.tracking.glimpses import NO_GLIMPSES, Glimpses
from edged.tracking.kalman import Motion, to_edges
from edged.tracking.records import Records
from edged.tracking.sightings import Sightings, sort_out

_LEAST_DOUBTFUL = 0.5  # overlap above which a track goes on with a detection of low confidence
_LEAST_TENTATIVE = 0.3  # likeness above which a second sighting confirms a track
_LEAST_TENTATIVE_LATE = 0.2  # … where frames were skipped: somebody whose speed is not known yet has moved on
# Of the way from new_track_confidence down to high_confidence, for each skipped frame and at most. Who is seen faintly
# reaches new_track_confidence on one frame in five or ten. On 25 plays of MOT17-04 the 95th percentile of late tellings
# fell from 0.60 to 0.34 s, for 0.1 HOTA; 0.2 and 0.75 cost another 0.2.
_EASED_BY_FRAME, _EASED_MAX = 0.1, 0.5
_DOUBLE = 0.85  # overlap above which a lost and a living track are one object
_SAME_AGE_S = 1e-6  # instants are floats: ages this close are equal
_STANDS = 0.01  # heights a nominal frame; at 30 Hz 0.3 heights a second, a third of a stroll
_KNOWN_S = 1.0  # a false alarm is rarely followed for so long
_BELIEVED_S = 0.3  # who was not seen for longer is LOST with the first miss
# Who was not seen for longer is found again by no doubtful detection. These are three looks at the slowest pace at
# which anybody is followed: on fifteen plays of MOT17 they won 0.1 HOTA and 0.2 MOTA over 0.3 s. With a weak detector
# at 10 Hz, lost tracks of any age went on with false alarms, and cost 1.7 MOTA more; those up to 0.6 s cost nothing.
_RECENTLY_S = 0.6
_GRACE_FRAMES = 2.5  # the authors' code finds a lost track up to two frames after its time; half a frame for rounding

# Plain numbers: looking one up in an IntEnum costs more than an array operation on ten tracks.
_TENTATIVE, _CONFIRMED, _LOST = int(TrackState.TENTATIVE), int(TrackState.CONFIRMED), int(TrackState.LOST)

Floats = npt.NDArray[np.float32]
Columns = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


class ByteTrack:
    """Follows the objects of one camera; implements edged.ports.Tracker.

    A TENTATIVE track ends with its first miss, a LOST one when it was not seen for `lost_after_s`. A track that missed
    no update may go on after any gap, however seldom the detector runs. Detections that are no boxes (NaN, infinite,
    without width or height) are left out.
    """

    def __init__(
        self,
        *,
        high_confidence: float,
        low_confidence: float,
        new_track_confidence: float,
        match_cost_max: float,
        lost_after_s: float,
        nominal_frame_s: float = 1 / 30,
        class_group: npt.NDArray[np.integer] | None = None,
        weigh_by_confidence: bool = True,
        ids: Iterator[int] | None = None,
    ) -> None:
        """Set up a tracker without tracks.

        high_confidence       from here on (inclusive) a detection may go on any track
        low_confidence        from here on (inclusive) it may go on a track that was seen at the last update, and where
                              frames were skipped on any that was seen just now
        new_track_confidence  from here on (inclusive) a detection of high confidence that fits no track begins one;
                              where frames were skipped from a little lower
        match_cost_max        1 - likeness of track and detection must stay below it, 0..1
        lost_after_s          seconds unseen after which a lost track is given up
        nominal_frame_s       seconds; the time in which the Kalman filter's noise accrues once
        class_group           (classes,) int, by class_id: only classes of one group match. Default: each for itself
        weigh_by_confidence   likeness is overlap × confidence, else overlap alone (better in crowds such as MOT20)
        ids                   names for tracks, ascending, where those of an earlier tracker must not come again

        Raises ValueError when a number is out of its range.
        """
        if not 0 <= low_confidence <= high_confidence <= 1:
            raise ValueError(
                f"0 <= low_confidence ({low_confidence}) <= high_confidence ({high_confidence}) <= 1 is false"
            )
        if not 0 < match_cost_max <= 1:
            raise ValueError(f"match_cost_max is {match_cost_max}: it must be above 0 and at most 1")
        if not (lost_after_s >= 0 and 0 < nominal_frame_s < math.inf):
            raise ValueError(
                f"lost_after_s ({lost_after_s}) must be 0 or more, nominal_frame_s ({nominal_frame_s}) above 0"
            )
        self._high_confidence = high_confidence
        self._low_confidence = low_confidence
        self._new_track_confidence = new_track_confidence
        self._least_likeness = 1 - match_cost_max
        self._remembered_s = lost_after_s + _GRACE_FRAMES * nominal_frame_s
        self._nominal_frame_s = nominal_frame_s
        self._weigh_by_confidence = weigh_by_confidence
        self._group_of = None if class_group is None else np.append(class_group, np.max(class_group, initial=-1) + 1)
        self._at: float | None = None
        self._ids = count(1) if ids is None else ids
        # One row a track, ordered by track_id; TENTATIVE tracks are as old as the last update, so they stand last.
        self._records = Records.none()
        self._motion = Motion.born(np.empty((4, 0)))
        self._glimpses = NO_GLIMPSES  # at the last update, where frames were skipped before it

    def update(self, detections: Detections, at: float, *, skipped: int = 0) -> Tracks:
        """Take in what was detected at the monotonic instant `at`; the same instant twice is fine.

        `skipped` says how many frames went by without a detection since the last update.

        Raises ValueError when `at` lies before the last update or is not finite.
        """
        frames = self._frames_until(at)
        found = sort_out(detections, low_confidence=self._low_confidence, high_confidence=self._high_confidence)
        self._forget(at)
        self._advance(frames)
        detection_of = self._associate(found, at, skipped=skipped > 0)
        self._go_on(found, detection_of, at, believed=self._believed(at) if skipped else None)
        untaken = found.untaken(detection_of)
        self._glimpses = self._glimpsed(found, untaken, at) if skipped else NO_GLIMPSES
        self._begin(found, untaken, at, skipped=skipped)
        self._at = at
        return self._without_doubles(at)

    def predict(self, at: float) -> Tracks:
        """Say where the tracks are at `at` without a detection. Changes no state.

        Raises ValueError when `at` lies before the last update or is not finite.
        """
        frames = self._frames_until(at)
        if not len(self._records):  # an idle camera asks of nobody else
            return Tracks.empty(at)
        edges = to_edges(self._motion.positions(frames))
        tracks, stay = self._records.tracks(edges, at), self._unexpired(at)
        return tracks if len(stay) == len(tracks) else tracks[stay]

    def _frames_until(self, at: float) -> float:
        since = at if self._at is None else self._at
        if not math.isfinite(at) or at < since:
            raise ValueError(f"update or predict at {at} s after an update at {since} s: time must not go back")
        return (at - since) / self._nominal_frame_s

    def _unexpired(self, at: float) -> Columns:
        """Say which tracks are not LOST for too long. One that missed no update is never too old."""
        stay: Mask = self._records.seen_at >= at - self._remembered_s
        stay |= self._records.state != _LOST
        return stay.nonzero()[0]

    def _forget(self, at: float) -> None:
        if min(self._records.seen_at.tolist(), default=at) < at - self._remembered_s:
            self._keep(self._unexpired(at))

    def _keep(self, rows: Columns) -> None:
        self._records = self._records.take(rows)
        self._motion = self._motion[rows]

    def _settled(self) -> int:
        """How many tracks are CONFIRMED or LOST: the first rows."""
        return len(self._records.state.nonzero()[0])

    def _advance(self, frames: float) -> None:
        """Move all tracks on in time.

        A TENTATIVE track stands still for all that is known, and the authors' code does not predict it at all. So its
        first nominal frame is free; over a longer gap it grows as unsure as any other.
        """
        settled = self._settled()
        self._motion[:settled].advance(frames)
        if settled < len(self._records) and frames > 1:
            self._motion[settled:].advance(frames - 1)

    def _associate(self, found: Sightings, at: float, *, skipped: bool) -> Columns:
        """Say which of `found` each track goes on with, -1 for none, (N,)."""
        detection_of = np.empty(len(self._records), np.intp)
        detection_of.fill(-1)
        if not len(detection_of) or not len(found):
            return detection_of
        sure, settled = found.sure, self._settled()
        same = self._same(found, settled if skipped else 0)
        likeness = same[:, :sure] * found.confidence[:sure] if self._weigh_by_confidence else same[:, :sure]

        rows, columns = match(likeness[:settled], self._least_likeness)
        detection_of[rows] = columns

        if settled < len(detection_of):
            free = found.untaken(detection_of)
            free = free[free < sure]
            rows, columns = match(likeness[settled:, free], _LEAST_TENTATIVE_LATE if skipped else _LEAST_TENTATIVE)
            detection_of[settled + rows] = free[columns]

        if sure < len(found):
            waits = self._records.state == _CONFIRMED
            if skipped:
                waits |= at - self._records.seen_at <= _RECENTLY_S
            missed = ((detection_of < 0) & waits).nonzero()[0]
            rows, columns = match(same[missed, sure:], _LEAST_DOUBTFUL)
            detection_of[missed[rows]] = columns + sure
        return detection_of

    def _same(self, found: Sightings, levelled: int) -> Floats:
        """Overlap of each track with each detection, 0 where the groups differ, (N, M).

        The first `levelled` tracks must stand on one level with theirs.
        """
        edges = self._edges()
        same = overlap(edges, found.edges)
        if levelled:
            same[:levelled] *= level(edges[:, :levelled], found.edges)
        if len({*self._records.class_id.tolist(), *found.class_id.tolist()}) > 1:
            differs = self._groups(self._records.class_id)[:, None] != self._groups(found.class_id)
            same[differs] = 0
        return same

    def _edges(self) -> Floats:
        """Where each track is expected to be, and looked for; (4, N) left, top, right, bottom."""
        return to_edges(self._motion.mean[0])

    def _groups(self, class_id: npt.NDArray[np.int32]) -> npt.NDArray[np.integer]:
        """Look the groups up, (N,); the classes that `class_group` does not know share one of their own."""
        if self._group_of is None:
            return class_id
        return self._group_of.take(class_id.view(np.uint32), mode="clip")  # unsigned, a negative one is far too high

    def _believed(self, at: float) -> Mask:
        """Say which tracks one miss at `at`, after skipped frames, does not make LOST, (N,)."""
        seen_at, velocity = self._records.seen_at, self._motion.mean[1]
        known_s, unseen_s = seen_at - self._records.started_at, at - seen_at
        stands = np.hypot(velocity[0], velocity[1]) <= _STANDS * self._motion.mean[0, 2]
        believed: Mask = stands & (known_s >= _KNOWN_S) & (unseen_s <= _BELIEVED_S) & (seen_at == self._at)
        return believed

    def _go_on(self, found: Sightings, detection_of: Columns, at: float, *, believed: Mask | None) -> None:
        """Let each track go on with its detection, or miss it; a miss does not count for those `believed`."""
        records, seen = self._records, detection_of >= 0
        rows, missed = seen.nonzero()[0], (~seen).nonzero()[0]
        if len(rows):
            self._motion.correct(found.measured(detection_of), missed)
            taken = detection_of[rows]
            records.confidence[rows] = found.confidence[taken]
            records.class_id[rows] = found.class_id[taken]
            records.seen_at[rows] = at
            records.state[rows] = _CONFIRMED
        if len(missed):
            self._motion.hold_height(missed)
            stay = records.state.nonzero()[0]
            records.state[missed] = _LOST if believed is None else np.where(believed[missed], _CONFIRMED, _LOST)
            if len(stay) < len(records):
                self._keep(stay)

    def _least_new(self, skipped: int) -> float:
        """Say which confidence begins a track after so many skipped frames."""
        eased = min(_EASED_BY_FRAME * skipped, _EASED_MAX)
        beyond = self._new_track_confidence - self._high_confidence
        return self._new_track_confidence - eased * beyond if beyond > 0 else self._high_confidence

    def _glimpsed(self, found: Sightings, untaken: Columns, at: float) -> Glimpses:
        return self._glimpses.followed_by(found.edges[:, untaken], self._groups(found.class_id[untaken]), at)

    def _begin(self, found: Sightings, untaken: Columns, at: float, *, skipped: int) -> None:
        """Begin a track with each detection that is confident enough, or of somebody on the way."""
        if not len(untaken):
            return
        confidence = found.confidence[untaken]
        sure = confidence >= self._least_new(skipped)
        if len(self._glimpses):
            sure |= (confidence >= self._high_confidence) & self._glimpses.moved(len(untaken))
        confident = sure.nonzero()[0]
        if not len(confident):
            return
        new = untaken[confident]
        track_id = np.fromiter(islice(self._ids, len(new)), np.int64, len(new))
        # What the first update shows was there before: no need to see it twice.
        state = _CONFIRMED if self._at is None else _TENTATIVE
        born = Records.begun(track_id, state, found.confidence[new], found.class_id[new], at)
        if len(self._glimpses):
            # Of that time, the frames that were looked at are known to have shown nobody for certain.
            born.started_at += (self._glimpses.since[confident] - at) * (skipped / (skipped + 1))
        self._records = self._records.joined(born)
        self._motion = self._motion.joined(Motion.born(found.measured(new)))

    def _without_doubles(self, at: float) -> Tracks:
        """Where a lost and a living track cover each other, drop the younger one; return what is left."""
        edges, lost = self._edges(), self._records.state == _LOST
        gone, living = lost.nonzero()[0], (~lost).nonzero()[0]
        if len(gone) and len(living):
            double = overlap(edges[:, living], edges[:, gone]) > _DOUBLE
            if double.any():
                stay = (~self._younger(double, living, gone)).nonzero()[0]
                self._keep(stay)
                edges = edges[:, stay]
        return self._records.tracks(edges, at)

    def _younger(self, double: Mask, living: Columns, gone: Columns) -> Mask:
        """Say which tracks to drop, (N,), given which pairs of living and gone ones cover each other."""
        records, drop = self._records, np.zeros(len(self._records), bool)
        group, age_s = self._groups(records.class_id), records.seen_at - records.started_at
        double = double & (group[living][:, None] == group[gone])
        living_is_older = age_s[living][:, None] > age_s[gone] + _SAME_AGE_S
        drop[living] = (double & ~living_is_older).any(axis=1)
        drop[gone] = (double & living_is_older).any(axis=0)
        return drop
