"""[thermal]: what heat leaves of the inference."""

from __future__ import annotations

from edged.config.contradictions import STOP_C, WARN_C
from edged.config.schema.fields import Section, option


class ThermalSection(Section):
    """How inference gives way to heat: all of it below warn_c, none from stop_c on."""

    warn_c: float = option(
        WARN_C,
        "From this temperature of the processor on, inference runs less often: in a straight line down to "
        "share_at_stop at stop_c.",
        "degrees Celsius",
        ge=30,
        le=120,
    )
    stop_c: float = option(
        STOP_C,
        "At this temperature inference stops until it is cooler. Keep it where the board's own protection begins, or "
        "below. Above warn_c.",
        "degrees Celsius",
        ge=30,
        le=125,
    )
    share_at_stop: float = option(
        0.2, "The share of its full rate at which inference runs just below stop_c.", "0..1", ge=0, le=1
    )
    hysteresis_c: float = option(
        3.0,
        "Inference runs more often again only when it is this much cooler, so that it does not hunt.",
        "degrees Celsius",
        ge=0,
        le=20,
    )
