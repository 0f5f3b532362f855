from __future__ import annotations

import resource
import threading

import psutil
import pytest

from edged.domain.health import StoreStatus
from edged.pipeline.feeder import Feeder
from edged.pipeline.latency import Latency
from edged.pipeline.mailbox import Mailbox
from edged.pipeline.reporter import CameraParts, Rate, Reporter
from edged.testing.clock import FakeClock
from edged.testing.detector import ScriptedDetector
from edged.testing.events import MemorySink
from edged.testing.source import SyntheticSource
from tests.pipeline.parts import LABELS, a_frame, damaged, feeder_of, pipeline_of


def test_a_rate_is_that_of_the_last_ten_seconds() -> None:
    rate = Rate()
    assert rate.update(0.0, 0) == 0.0
    rates = [rate.update(float(at), 5 * min(at, 20)) for at in range(1, 41)]  # 5 a second for 20 s, then none
    assert rates[:20] == pytest.approx([5.0] * 20)
    assert rates[24] == pytest.approx(2.5, abs=0.3)
    assert rates[-1] == 0.0


def test_a_rate_over_no_time_is_zero() -> None:
    rate = Rate()
    rate.update(1.0, 0)
    assert rate.update(1.0, 10) == 0.0


def test_a_report_after_a_long_silence_still_has_a_rate() -> None:
    rate = Rate()
    rate.update(0.0, 0)
    assert rate.update(100.0, 500) == pytest.approx(5.0)


def test_a_sandbox_without_proc_costs_the_report_its_memory_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "PROCFS_PATH", "/nonexistent")
    reporter = Reporter(
        clock=FakeClock(),
        run_id="run",
        model="small",
        backend="none",
        cameras=[],
        latency=Latency(),
        store=StoreStatus,
    )
    assert reporter.report("running").rss_bytes == 0
    monkeypatch.undo()
    assert reporter.report("running").rss_bytes > 0


def test_the_report_adds_up_what_source_mailbox_and_pipeline_counted() -> None:
    clock, mailbox = FakeClock(), Mailbox(threading.Condition())
    source = SyntheticSource(clock=clock, objects=0, width_px=32, height_px=24, frames=20, corrupt=[3, 4])
    feeder: Feeder = feeder_of(source, mailbox, clock, reopen=False)
    pipeline = pipeline_of(ScriptedDetector(LABELS, []), MemorySink(), clock, every=2)
    reporter = Reporter(
        clock=clock,
        run_id="run",
        model="small",
        backend="none",
        cameras=[CameraParts(feeder, mailbox, pipeline)],
        latency=Latency(),
        store=lambda: StoreStatus(written=3),
    )
    first = reporter.report("running")
    assert first.cameras[0].state == "starting"
    assert first.inference_p50_ms is None
    feeder.run(threading.Event())
    for seq in range(10):
        pipeline.step(a_frame(seq, decode=damaged if seq == 4 else None))
    clock.advance(2.0)
    status = reporter.report("stopped")
    camera = status.cameras[0]

    assert (status.state, status.uptime_s, status.store.written) == ("stopped", 2.0, 3)
    assert camera.state == "ended"
    assert (camera.frames, camera.detected, camera.frames_expected) == (10, 5, 20)
    assert camera.skipped == 17  # 18 came, and nobody took any but the last
    assert camera.corrupt == 3
    assert camera.fps_in == pytest.approx(9.0)
    assert camera.fps_detected == pytest.approx(2.5)
    assert status.rss_bytes > 1_000_000


def test_a_process_that_can_open_no_more_files_still_reports() -> None:
    reporter = Reporter(
        clock=FakeClock(), run_id="run", model="small", backend="none", cameras=[], latency=Latency(), store=StoreStatus
    )
    known = reporter.report("running").rss_bytes
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        status = reporter.report("running")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert status.rss_bytes == known > 1_000_000
