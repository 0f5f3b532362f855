"""[presence] and [store]: what makes an event, and what is kept."""

from __future__ import annotations

from edged.config.schema.fields import Section, option


class PresenceSection(Section):
    """When an object is worth the events `appeared` and `left`."""

    seen_for_s: float = option(
        1.0, "An object counts as appeared once it has been in view for this long.", "seconds", ge=0, le=3600
    )
    rejoin_within_s: float = option(
        3.0,
        "An object that is lost and found again within this time, about where it must be by then, has not left.",
        "seconds",
        ge=0,
        le=3600,
    )
    labels: tuple[str, ...] = option(
        (), "Labels that make events, as the model names them; an empty list means all.", "list of labels", strict=False
    )


class StoreSection(Section):
    """What is kept, and for how long."""

    retention_days: float = option(30.0, "Events and snapshots older than this are deleted.", "days", gt=0, le=36500)
    snapshots: bool = option(True, "Whether the best picture of each object is kept with its events.", "true or false")
    snapshot_quality: int = option(85, "JPEG quality of the snapshots.", "1..100", ge=1, le=100)
    max_snapshots_mb: int = option(
        1000, "The oldest snapshots are deleted when all together take more room than this.", "MB", ge=1, le=10_000_000
    )
