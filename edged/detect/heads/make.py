"""Finds the decoder of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edged.detect.heads.base import Head
from edged.detect.heads.end2end import End2EndHead
from edged.detect.heads.gfl import GflHead
from edged.detect.heads.ultralytics import UltralyticsHead
from edged.detect.heads.yolox import YoloxHead
from edged.detect.spec import Family, ModelSpec

_HEADS: Mapping[Family, Callable[[ModelSpec], Head]] = {
    Family.ULTRALYTICS: UltralyticsHead,
    Family.END2END: End2EndHead,
    Family.YOLOX: YoloxHead,
    Family.GFL: GflHead,
}


def make_head(spec: ModelSpec) -> Head:
    """Build the decoder for the family that the spec names."""
    return _HEADS[spec.head.family](spec)
