"""Tries a model before anybody relies on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edged.clock import Clock
from edged.detect.detector import ModelDetector
from edged.detect.golden import Agreement, check_golden
from edged.detect.heads.base import Tensor
from edged.detect.heads.make import make_head
from edged.detect.letterbox import Letterbox
from edged.detect.spec import Boxes, Family, ModelSpec
from edged.domain.detections import Detections
from edged.domain.frame import BgrImage, Frame
from edged.errors import BackendError, ModelInvalid
from edged.ports import Backend

MakeBackend = Callable[[ModelSpec], Backend]
"""Load a model into an engine. Raises ModelError."""

_SCORE_SLACK = 0.01  # half precision rounds 1.0 up a little
_FRACTIONS_END = 2.0  # fractions are within 0..1 and a little beyond
_PIXELS_BEGIN = 16.0  # an input has 32 pixels or more
_GREY = np.full((64, 64, 3), 114, np.uint8)


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What a sound model is and did."""

    spec: ModelSpec
    detections: Detections | None  # in the picture, at the model's own thresholds; None without a picture
    agreement: Agreement | None  # with the recorded answer; None when the folder has none


def try_model(
    spec: ModelSpec,
    make_backend: MakeBackend,
    *,
    engine: str = "",
    confidence: float | None = None,
    nms_iou: float | None = None,
) -> ModelDetector:
    """Load a model, try it on a grey picture and on its golden one, and hand it out.

    For the arguments see ModelDetector. Tells OpenCV to stay in the calling thread: waking a second core for a resize
    of half a millisecond cost 0.1 ms.

    Raises ModelError: what was expected, what was found, what to do.
    """
    cv2.setNumThreads(1)
    backend = make_backend(spec)
    try:
        check_model(spec, backend)
        check_golden(spec, backend)
    except BaseException:
        backend.close()
        raise
    return ModelDetector(spec, backend, engine=engine, confidence=confidence, nms_iou=nms_iou)


def check_model(spec: ModelSpec, backend: Backend, image: BgrImage = _GREY) -> None:
    """Run the model once and hold its outputs to what the spec's head expects.

    Raises ModelInvalid for a wrong number, shape or range of outputs, BackendError when they are not finite.
    """
    blob, _ = Letterbox(spec.input).blob(Frame.of(image))
    outputs = backend.infer(blob)
    head = make_head(spec)
    try:
        head.decode([np.zeros_like(output) for output in outputs], 0.5)  # looks at nothing but the shapes
    except ModelInvalid as problem:
        raise ModelInvalid(f"Model {spec.name}: {problem.message}", hint=problem.hint) from problem
    _check_finite(spec, outputs)
    every = head.decode(outputs, -np.inf)
    if len(every) and not -_SCORE_SLACK <= every.confidence.min() <= every.confidence.max() <= 1 + _SCORE_SLACK:
        raise ModelInvalid(
            f"Model {spec.name}: scores run from {every.confidence.min():.3g} to {every.confidence.max():.3g}; "
            "expected 0 to 1.",
            hint="Wrong weights, a wrong head family, or a model exported without its sigmoid.",
        )
    _check_unit(spec, every)


def verify_model(spec: ModelSpec, backend: Backend, image: BgrImage | None = None) -> ModelReport:
    """Check the model on a grey picture, on its golden one and, where there is one, on `image`. Raises ModelError."""
    check_model(spec, backend)
    agreement = check_golden(spec, backend)
    if image is None:
        return ModelReport(spec, None, agreement)
    check_model(spec, backend, image)
    return ModelReport(spec, ModelDetector(spec, backend).detect(Frame.of(image)), agreement)


def time_frame(spec: ModelSpec, backend: Backend, clock: Clock) -> float:
    """Seconds that one whole detection takes, in a grey picture."""
    detector = ModelDetector(spec, backend)
    frame = Frame.of(_GREY)
    began = clock.monotonic()
    detector.detect(frame)
    return clock.monotonic() - began


def _check_unit(spec: ModelSpec, every: Detections) -> None:
    """Find boxes in the other unit than the spec says: they are sound numbers, and nothing is ever seen."""
    if not len(every) or spec.head.family not in (Family.ULTRALYTICS, Family.END2END):
        return  # the others count from their grid's cells
    furthest = float(np.abs(every.xyxy).max())
    in_pixels = spec.head.boxes is Boxes.PIXELS
    if (0 < furthest <= _FRACTIONS_END) if in_pixels else furthest > _PIXELS_BEGIN:
        meant = Boxes.FRACTIONS if in_pixels else Boxes.PIXELS
        raise ModelInvalid(
            f"Model {spec.name}: no edge of a box lies further than {furthest:.3g} from the corner, where "
            f"boxes are in {spec.head.boxes.value}.",
            hint=f'Write boxes = "{meant.value}" in the table of these files in model.toml.',
        )


def _check_finite(spec: ModelSpec, outputs: Sequence[Tensor]) -> None:
    names_by_format = {files.output_names for files in spec.formats.values()}
    names = names_by_format.pop() if len(names_by_format) == 1 else ()
    for number, output in enumerate(outputs):
        bad = int(np.count_nonzero(~np.isfinite(output)))
        if bad:
            name = names[number] if number < len(names) else f"number {number}"
            raise BackendError(
                f"Model {spec.name}: {bad} of {output.size} numbers in output {name} are not finite.",
                hint="The weights are damaged, or overflow in half precision: copy the model again, "
                "or export it with 32-bit weights.",
            )
