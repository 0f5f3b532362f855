"""What heat leaves for inference, as the configuration wants it."""

from __future__ import annotations

from edged.clock import Clock
from edged.config.schema import Config
from edged.health.board.vitals import BoardSensors
from edged.health.heat import HeatCurve
from edged.health.monitor import ThermalMonitor
from edged.ports import EventSink, Sensors


def heat_curve(config: Config) -> HeatCurve:
    """The curve of [thermal]."""
    wanted = config.thermal
    return HeatCurve(
        warn_c=wanted.warn_c,
        stop_c=wanted.stop_c,
        share_at_stop=wanted.share_at_stop,
        hysteresis_c=wanted.hysteresis_c,
    )


def build_monitor(config: Config, events: EventSink, clock: Clock, sensors: Sensors | None = None) -> ThermalMonitor:
    """Watch this machine, or `sensors` in its place."""
    return ThermalMonitor(sensors or BoardSensors(clock=clock), curve=heat_curve(config), events=events, clock=clock)
