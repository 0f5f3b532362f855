"""Which inference engines there are: edged's own, named here one by one, and those that other packages add."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from edged.backends.litert import EdgeTpuEngine, LiteRtEngine
from edged.backends.ncnn import NcnnEngine
from edged.backends.onnxruntime import OnnxRuntimeEngine
from edged.backends.plug_in import PlugIn
from edged.backends.tensorrt.engine import TensorRtEngine
from edged.ports import Engine

ENTRY_POINTS = "edged.backends"
"""The group of entry points: a plug-in's is `NAME = "package.module:ENGINE"`, an object like ports.Engine."""

BUILT_IN: tuple[Engine, ...] = (TensorRtEngine(), EdgeTpuEngine(), NcnnEngine(), OnnxRuntimeEngine(), LiteRtEngine())
"""In the order of preference among engines that run on equal hardware."""

log = logging.getLogger(__name__)


def all_engines(plug_ins: Iterable[EntryPoint] | None = None) -> tuple[Engine, ...]:
    """List the engines, present or not; plug-ins come first, and are not imported before they are asked something.

    `plug_ins` stands in for the entry points of the installed packages.
    """
    found: dict[str, Engine] = {engine.name: engine for engine in BUILT_IN}
    own = tuple(found)
    for entry in entry_points(group=ENTRY_POINTS) if plug_ins is None else plug_ins:
        if entry.name in own or entry.name == "auto":
            log.warning("the plug-in %s is left out: edged has an engine %s of its own", entry.value, entry.name)
        else:
            found[entry.name] = PlugIn(entry)
    return tuple(found[name] for name in [*(name for name in found if name not in own), *own])
