"""One camera: its feeder, mailbox and pipeline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from edged.app.sources import make_source as make_real_source
from edged.capture.cameras import takes_pictures
from edged.capture.devices.finder import CameraFinder
from edged.capture.devices.hotplug import HotplugWatch
from edged.clock import Clock
from edged.config.schema import CameraSection, Config
from edged.detect.detector import ModelDetector
from edged.domain.labels import class_groups
from edged.imaging.jpeg import crop_with_margin, encode_jpeg
from edged.pipeline.best_shots import BestShots
from edged.pipeline.camera import CameraPipeline, FrameObserver
from edged.pipeline.feeder import Feeder
from edged.pipeline.latency import Latency
from edged.pipeline.mailbox import Mailbox
from edged.pipeline.picture_watch import PictureWatch
from edged.pipeline.reel import Reel
from edged.pipeline.reporter import CameraParts
from edged.ports import EventSink, InferenceBudget, Scheduler, Source, Tracker
from edged.rules.presence import Presence
from edged.scheduling.adaptive import Adaptive
from edged.scheduling.at_most import AtMost
from edged.scheduling.motion import Motion
from edged.scheduling.paced import Paced
from edged.scheduling.stride import Stride
from edged.tracking.bytetrack import ByteTrack

_STUCK_STREAM_S = 60.0  # an encoder may repeat a still scene bit for bit until its next key picture

MakeSource = Callable[[CameraSection, Clock], Source]
Observers = Mapping[str, Sequence[FrameObserver]]
"""By the camera's name, who is told of every frame."""


def build_camera(
    section: CameraSection,
    config: Config,
    detector: ModelDetector,
    resources: ExitStack,
    *,
    clock: Clock,
    make_source: MakeSource | None,
    store: EventSink,
    arrival: threading.Condition,
    latency: Latency,
    observers: Observers,
    track_ids: Mapping[str, Iterator[int]],
    budget: InferenceBudget | None = None,
) -> CameraParts:
    """Put one camera together. What it holds is closed with `resources`.

    `track_ids` gives each camera by its name the ids for its tracks, and outlives it: a changed configuration may put
    it together again.
    """
    in_full = not section.is_live and section.play == "as_fast_as_possible"
    mailbox = Reel(arrival) if in_full else Mailbox(arrival)
    finder = watch = None
    if section.device is not None:
        finder = CameraFinder(section.device, captures=takes_pictures)
        watch = HotplugWatch(section.device, clock=clock)
        resources.callback(watch.close)
    feeder = Feeder(
        camera=section.name,
        source=make_source(section, clock) if make_source else make_real_source(section, clock, find=finder),
        mailbox=mailbox,
        events=store,
        clock=clock,
        frame_timeout_s=section.frame_timeout_s,
        reopen=section.is_live,
        wait_for_device=watch.wait if watch else None,
        reset=finder.reset if finder else None,
    )
    wanted = config.presence.labels if section.labels is None else section.labels
    pipeline = CameraPipeline(
        camera=section.name,
        scheduler=make_scheduler(section, config, budget if section.is_live else None),
        detector=detector,
        tracker=make_tracker(config, detector, ids=track_ids[section.name]),
        rules=[make_presence(section.name, detector.labels, config, wanted=wanted)],
        best_shots=BestShots(crop=crop_with_margin, encode=partial(encode_jpeg, quality=config.store.snapshot_quality))
        if config.store.snapshots
        else None,
        events=store,
        clock=clock,
        latency=latency,
        observers=observers.get(section.name, ()),
        silent_after_s=feeder.silent_after_s if section.is_live else None,
        picture_watch=PictureWatch(section.name, stuck_after_s=10.0 if section.is_device else _STUCK_STREAM_S)
        if section.is_live
        else None,
    )
    return CameraParts(feeder, mailbox, pipeline)


def make_scheduler(section: CameraSection, config: Config, budget: InferenceBudget | None = None) -> Scheduler:
    """Make the policy of one camera, held to a budget where there is one."""
    every = section.every or config.scheduler.every
    policy: Scheduler
    if config.scheduler.policy == "stride":
        policy = Stride(every)
    else:
        policy = Adaptive(Motion([[(x, y) for x, y in polygon] for polygon in section.ignore_motion]))
        policy = policy if every == 1 else AtMost(policy, every)
    return policy if budget is None else Paced(policy, budget)


def make_presence(name: str, labels: Sequence[str], config: Config, *, wanted: Sequence[str] = ()) -> Presence:
    """Make the rule of one camera, for the `wanted` of the model's `labels`, all where none is named."""
    presence = config.presence
    return Presence(
        name, labels, seen_for_s=presence.seen_for_s, rejoin_within_s=presence.rejoin_within_s, wanted=wanted
    )


def make_tracker(config: Config, detector: ModelDetector, *, ids: Iterator[int] | None = None) -> Tracker:
    """Make the tracker of one camera, with the thresholds of the model where the configuration names none."""
    own, chosen = detector.spec.thresholds, config.tracker
    low = own.low_confidence if chosen.low_confidence is None else chosen.low_confidence
    high = own.high_confidence if chosen.high_confidence is None else chosen.high_confidence
    new = own.new_track_confidence if chosen.new_track_confidence is None else chosen.new_track_confidence
    return ByteTrack(
        low_confidence=min(low, high),
        high_confidence=high,
        new_track_confidence=new,
        match_cost_max=chosen.match_cost_max,
        lost_after_s=chosen.lost_after_s,
        class_group=class_groups(detector.labels) if chosen.class_aware else None,
        ids=ids,
    )
