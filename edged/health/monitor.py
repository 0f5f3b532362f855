"""Watches heat and supply: what the scheduler may spend, what `edged status` shows, what becomes an event."""

from __future__ import annotations

import logging
import threading

from edged.clock import Clock
from edged.domain.events import EventKind, MachineEvent
from edged.domain.machine import MachineStatus, Vitals
from edged.health.heat import HeatCurve, Lasting
from edged.ports import EventSink, Sensors

log = logging.getLogger(__name__)

_READ_EVERY_S = 5.0
_UNKNOWN_AFTER_S = 30.0  # a chip heats by a degree a second at the worst: until then a reading is worth something
_HOT_AFTER_S, _COOL_AFTER_S = 10.0, 30.0
_VOLTAGE_OK_AFTER_S = 60.0

UNKNOWN_SHARE = 0.5
"""Of a machine whose sensor has gone silent. It may be as hot as any, so it does not get all, nor more than it had when
it was hot; but what protects the chip is its own firmware, and a broken sensor is no reason to see nothing for good, so
it gets the curve's least share at least."""


class ThermalMonitor:
    """Implements ports.InferenceBudget. run() is a loop for a thread of its own; the rest is for any thread."""

    def __init__(self, sensors: Sensors, *, curve: HeatCurve, events: EventSink, clock: Clock) -> None:
        self._sensors = sensors
        self._curve = curve
        self._events = events
        self._clock = clock
        self._vitals = Vitals()
        self._began_at = clock.monotonic()
        self._known_at: float | None = None  # when the temperature was known last
        self._felt_c: float | None = None
        self._hot = Lasting(begins_after_s=_HOT_AFTER_S, ends_after_s=_COOL_AFTER_S)
        self._heat_told = ""  # the worst that was told of this heat: "warm", "stop"
        self._low = Lasting(begins_after_s=0.0, ends_after_s=_VOLTAGE_OK_AFTER_S)
        self._hot_since = self._low_since = 0.0
        self._sagged: bool | None = None  # since boot, at the last reading
        self._read_at: float | None = None  # when the last reading ended
        self._told_unknown = False

    def run(self, stop: threading.Event) -> None:
        """Read every five seconds until `stop` is set."""
        while not stop.is_set():
            self.step()
            self._clock.wait(stop, _READ_EVERY_S)

    def step(self) -> None:
        """Read once, and tell what has begun or ended."""
        vitals = self._sensors.read()
        at = self._clock.monotonic()
        self._vitals, self._read_at = vitals, at
        if vitals.temp_c is not None:
            self._known_at = at
            self._felt_c = self._curve.feel(vitals.temp_c, self._felt_c)
            self._judge_heat(vitals.temp_c, self._felt_c, at)
        self._judge_supply(vitals, at)

    def follow(self, curve: HeatCurve) -> None:
        """Go by another curve from now on. Any thread."""
        self._curve = curve

    def share(self) -> float:
        """See ports.InferenceBudget: HeatCurve.share(); 1.0 without a sensor, and see UNKNOWN_SHARE."""
        known = 1.0 if self._felt_c is None else self._curve.share(self._felt_c)
        return known if self.heat != "unknown" else max(self._curve.share_at_stop, min(UNKNOWN_SHARE, known))

    @property
    def heat(self) -> str:
        """One of "ok", "warm", "stop", "unknown", "no sensor"."""
        now = self._clock.monotonic()
        if self._known_at is None and not self._vitals.has_sensor and self._read_at is not None:
            return "no sensor"
        if self._known_at is None and now - self._began_at <= _UNKNOWN_AFTER_S:
            return "ok"  # nothing was read yet: a start is no reason to be slow
        if self._known_at is None or self._felt_c is None or now - self._known_at > _UNKNOWN_AFTER_S:
            return "unknown"
        if self._felt_c >= self._curve.stop_c:
            return "stop"
        return "warm" if self._felt_c >= self._curve.warn_c else "ok"

    def status(self) -> MachineStatus:
        """What the sensors said last."""
        self._tell_unknown()
        vitals, heat = self._vitals, self.heat
        throttling, watts = vitals.throttling, vitals.watts
        return MachineStatus(
            temp_c=None if heat == "unknown" else vitals.temp_c,
            temp_zone=vitals.zone,
            heat=heat,
            budget=round(self.share(), 3),
            throttling_now=None if throttling is None else list(throttling.now),
            throttling_since_boot=None if throttling is None else list(throttling.since_boot),
            power_w=None if watts is None else watts.power_w,
            power_source=None if watts is None else watts.source,
        )

    def _tell_unknown(self) -> None:
        is_unknown = self.heat == "unknown"
        if is_unknown and not self._told_unknown:
            log.error(
                "the temperature has been unknown for %g s (the sensor does not answer): inference goes on at %.0f %%",
                _UNKNOWN_AFTER_S,
                100 * self.share(),
            )
        elif self._told_unknown and not is_unknown:
            log.warning("the temperature is known again")
        self._told_unknown = is_unknown

    def _judge_heat(self, temp_c: float, felt_c: float, at: float) -> None:
        share = self._curve.share(felt_c)
        has_changed = self._hot.update(felt_c >= self._curve.warn_c, at)
        if share == 0.0 and self._heat_told != "stop":
            if not self._hot.is_on or has_changed:
                self._hot.begin(at)
                self._hot_since = at
            detail = f"{temp_c:.0f} °C: inference is stopped until it is {self._curve.hysteresis_c:g} °C cooler"
            self._heat_told = "stop"
            self._tell(EventKind.TOO_HOT, at=at, started_at=at, reason="stop", detail=detail)
        elif has_changed and self._hot.is_on:
            self._hot_since = since = self._hot.since
            detail = f"{temp_c:.0f} °C: inference runs at {share:.0%} of its rate; see to cooling"
            self._heat_told = "warm"
            self._tell(EventKind.TOO_HOT, at=since, started_at=since, reason="warm", detail=detail)
        elif has_changed:
            reason, self._heat_told = self._heat_told, ""
            self._tell(EventKind.COOLED_DOWN, at=self._hot.since, started_at=self._hot_since, reason=reason)

    def _judge_supply(self, vitals: Vitals, at: float) -> None:
        """Take in a dip that is there, and one that was between two readings."""
        if vitals.throttling is None:
            return
        sagged = "under_voltage" in vitals.throttling.since_boot
        is_new = sagged and self._sagged is False
        if sagged and self._sagged is None:
            log.warning(
                "the supply sagged before edged started, since the boot of this machine: see to the power supply"
            )
        self._sagged = sagged
        if not self._low.update(is_new or "under_voltage" in vitals.throttling.now, at):
            return
        if self._low.is_on:
            self._low_since = self._low.since
            detail = "the voltage of the supply is too low: use a stronger power supply and a short, thick cable"
            since = self._low_since
            self._tell(EventKind.UNDER_VOLTAGE, at=since, started_at=since, reason="under_voltage", detail=detail)
        else:
            since = self._low.since
            self._tell(EventKind.VOLTAGE_OK, at=since, started_at=self._low_since, reason="under_voltage")

    def _tell(self, kind: EventKind, *, at: float, started_at: float, reason: str, detail: str | None = None) -> None:
        log.warning("%s: %s", kind, detail or f"after {at - started_at:.0f} s")
        self._events.put(MachineEvent(kind, at, started_at, reason, detail), None)
