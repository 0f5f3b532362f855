"""The scheduler's answer."""

from __future__ import annotations

from enum import Enum


class Decision(Enum):
    """What to do with a frame."""

    DETECT = "detect"  # run the detector and update the tracker
    PREDICT = "predict"  # let the tracker predict; the picture is never decoded
