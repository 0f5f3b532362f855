"""Puts together what `edged status` shows."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

from edged import __version__
from edged.clock import Clock
from edged.domain.health import CameraStatus, DaemonStatus, LastEnd, StoreStatus
from edged.domain.machine import MachineStatus
from edged.pipeline.camera import CameraPipeline
from edged.pipeline.feeder import Feeder
from edged.pipeline.latency import Latency
from edged.pipeline.mailbox import Mailbox
from edged.pipeline.reel import Reel

_RATE_OVER_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class CameraParts:
    """What the reporter looks at for one camera."""

    feeder: Feeder
    mailbox: Mailbox | Reel
    pipeline: CameraPipeline


class Rate:
    """How many a second, over the last ten seconds, from a running total."""

    def __init__(self) -> None:
        self._totals: deque[tuple[float, int]] = deque()

    def update(self, at: float, total: int) -> float:
        """Note the total at the monotonic instant `at` and return the rate in 1/s."""
        self._totals.append((at, total))
        while len(self._totals) > 2 and at - self._totals[0][0] > _RATE_OVER_S:
            self._totals.popleft()
        (first_at, first), (last_at, last) = self._totals[0], self._totals[-1]
        return (last - first) / (last_at - first_at) if last_at > first_at else 0.0


class Reporter:
    """Asks every part for its numbers. `report()` is called about once a second, by one thread."""

    def __init__(
        self,
        *,
        clock: Clock,
        run_id: str,
        model: str,
        backend: str,
        cameras: Sequence[CameraParts],
        latency: Latency,
        store: Callable[[], StoreStatus],
        machine: Callable[[], MachineStatus] = MachineStatus,
        last_end: LastEnd | None = None,
    ) -> None:
        self._clock = clock
        self._run_id = run_id
        self._latency = latency
        self._store = store
        self._machine = machine
        self._last_end = last_end
        self._process: psutil.Process | None = None
        self._rss_bytes = 0
        self._started_at = clock.monotonic()
        self._started_wall_at = clock.wall()
        self._rates: dict[CameraParts, tuple[Rate, Rate]] = {}
        self.watch(cameras, model=model, backend=backend)
        self.config_error: str | None = None
        self.config_pending = False

    def watch(self, cameras: Sequence[CameraParts], *, model: str, backend: str) -> None:
        """Report on these cameras from now on, in this order, and on the model of that name in that engine."""
        self._model = model
        self._backend = backend
        self._rates = {parts: self._rates.get(parts) or (Rate(), Rate()) for parts in cameras}

    def report(self, state: str) -> DaemonStatus:
        """Say how things are now."""
        return DaemonStatus(
            version=__version__,
            pid=os.getpid(),
            run_id=self._run_id,
            state=state,
            started_wall_at=self._started_wall_at,
            written_wall_at=self._clock.wall(),
            uptime_s=self._clock.monotonic() - self._started_at,
            model=self._model,
            backend=self._backend,
            inference_p50_ms=self._latency.percentile_ms(50),
            inference_p99_ms=self._latency.percentile_ms(99),
            rss_bytes=self._memory_bytes(),
            store=self._store(),
            machine=self._machine(),
            last_end=self._last_end,
            cameras=[self._camera(parts) for parts in self._rates],
            config_error=self.config_error,
            config_pending=self.config_pending,
        )

    def _memory_bytes(self) -> int:
        # No file can be opened any more, or there is no /proc: what was last known will do.
        with suppress(OSError, psutil.Error):
            self._process = self._process or psutil.Process()
            self._rss_bytes = self._process.memory_info().rss
        return self._rss_bytes

    def _camera(self, parts: CameraParts) -> CameraStatus:
        counts, stats = parts.pipeline.counts, parts.feeder.source.stats
        rate_in, rate_detected = self._rates[parts]
        at = self._clock.monotonic()
        return CameraStatus(
            camera=parts.feeder.camera,
            state=parts.feeder.state,
            picture=parts.pipeline.picture,
            frames=counts.frames,
            frames_expected=parts.feeder.source.frame_count(),
            detected=counts.detected,
            skipped=stats.dropped + parts.mailbox.dropped,
            corrupt=stats.corrupt + counts.corrupt,
            missed=stats.missed,
            reopened=parts.feeder.outages.begun,
            fps_in=rate_in.update(at, stats.frames),
            fps_detected=rate_detected.update(at, counts.detected),
            tracks=counts.tracks,
            events=counts.events + parts.feeder.outages.told,
        )
