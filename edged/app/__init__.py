"""Builds the daemon and its parts from a configuration: the only room that names concrete classes.

`daemon` puts everything together, `camera` what each camera has of its own; `models`, `sources` and `outputs` are what
commands need by themselves.
"""

from edged.app.camera import Observers
from edged.app.daemon import build, demo_config
from edged.app.doctor import examine
from edged.app.engines import choose_engine, make_backend
from edged.app.models import (
    check_labels,
    list_models,
    load_detector,
    model_spec,
)
from edged.app.outputs import open_recording, open_spare_trace, open_trace
from edged.app.replay import replay
from edged.app.sources import camera_at, mode_for, picture_of, try_devices
from edged.app.verify import explain_model, record_answer, verify_engines
from edged.backends.choice import demand_engine
from edged.capture.cameras import find_cameras
from edged.store.reader import EventLog

__all__ = [
    "EventLog",
    "Observers",
    "build",
    "camera_at",
    "check_labels",
    "choose_engine",
    "demand_engine",
    "demo_config",
    "examine",
    "explain_model",
    "find_cameras",
    "list_models",
    "load_detector",
    "make_backend",
    "mode_for",
    "model_spec",
    "open_recording",
    "open_spare_trace",
    "open_trace",
    "picture_of",
    "record_answer",
    "replay",
    "try_devices",
    "verify_engines",
]
