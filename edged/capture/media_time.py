"""When a recorded frame was taken, however wrong the file's time stamps are."""

from __future__ import annotations

MIN_STEP_S = 1e-4  # closer than this is not after
MAX_GAP_S = 600.0  # a longer gap is a damaged stamp (a wrapped MPEG-TS counter jumps 26 hours), not a pause
JITTER_S = 1.0  # stamps that are wrong by less than this are disorder; by more, a new time line begins


class MediaTime:
    """Turns presentation stamps into seconds since the first frame, strictly increasing."""

    def __init__(self, *, step_s: float) -> None:
        """`step_s` is the nominal time from one frame to the next."""
        self._step_s = step_s
        self._offset_s = 0.0
        self._last_s: float | None = None

    def after_first_s(self, stamp_s: float | None) -> float:
        """Place the next frame, whose stamp is `stamp_s`; None when it has none."""
        if self._last_s is None:
            self._offset_s = -(stamp_s or 0.0)
            self._last_s = 0.0
            return 0.0
        nominal_s = self._last_s + self._step_s
        if stamp_s is None:
            self._last_s = nominal_s
            return nominal_s
        gap_s = stamp_s + self._offset_s - self._last_s
        if MIN_STEP_S <= gap_s <= MAX_GAP_S:
            self._last_s += gap_s
            return self._last_s
        if abs(gap_s) > JITTER_S:
            self._offset_s = nominal_s - stamp_s
        self._last_s = nominal_s
        return nominal_s
