"""[tracker] and [scheduler]: how objects are followed, and which frames the detector sees."""

from __future__ import annotations

from typing import Literal

from edged.config.schema.fields import Section, option

Policy = Literal["adaptive", "stride"]


class TrackerSection(Section):
    """How detections become tracks."""

    high_confidence: float | None = option(
        None,
        "Detections from this confidence on are matched first. Not set: what the model's own file says.",
        "0..1",
        gt=0,
        le=1,
    )
    low_confidence: float | None = option(
        None,
        "Detections from this confidence on may continue a track; the tracker takes no notice of those below. "
        "Not set: what the model's own file says.",
        "0..1",
        gt=0,
        le=1,
    )
    new_track_confidence: float | None = option(
        None,
        "Confidence that a detection needs to begin a track, high_confidence or more; where frames were skipped, up to "
        "half of the way to high_confidence less. Not set: what the model's own file says.",
        "0..1",
        gt=0,
        le=1,
    )
    match_cost_max: float = option(
        0.9, "A detection continues a track when 1 - IoU x confidence is below this.", "0..1", gt=0, le=1
    )
    lost_after_s: float = option(1.0, "A track that was not seen for this long is given up.", "seconds", gt=0, le=600)
    class_aware: bool = option(
        True, "Whether a track keeps to its kind of object, so that a car never continues a person.", "true or false"
    )


class SchedulerSection(Section):
    """Which frames the detector sees."""

    policy: Policy = option(
        "adaptive",
        "adaptive looks where something moves, or may be elsewhere than predicted; stride looks at every N-th frame, "
        "whatever is on it. In between, the tracks are predicted.",
        "choice",
    )
    every: int = option(
        1,
        "With stride, detect every N-th frame; with adaptive, look at no more than one of N. 1 allows all.",
        "frames",
        ge=1,
        le=1000,
    )
