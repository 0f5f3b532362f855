"""The golden self-test: a model sees in a known picture what it saw when somebody looked at the result.

A folder with golden.json and golden.jpg or golden.png is tried with them whenever its model is loaded, in whichever
engine: damaged weights, a number format that overflows, labels in another order, or a wrong mean, scale or colour are
found before anybody relies on the answers.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edged.detect.detector import ModelDetector
from edged.detect.spec import ModelSpec
from edged.domain import boxes
from edged.domain.detections import Detections
from edged.domain.frame import BgrImage, Frame
from edged.errors import GoldenMismatch, ModelInvalid, ModelNotFound, OutputNotWritable
from edged.ports import Backend

ANSWER = "golden.json"
PICTURES = ("golden.jpg", "golden.png")

CONFIDENCE_WITHIN = 0.1
"""Float engines agree within 0.02; a model in int8 may be this far off and is still itself."""
IOU_AT_LEAST = 0.7
SHOWN_AT_MOST = 10
"""A model with a wrong scale sees hundreds of things, and the log repeats the error at every start."""

_HINT = (
    "Damaged weights, another mean, scale, colour or order of labels, or numbers that this engine cannot do: "
    "`edged models verify` runs the model in every engine. If the model was changed on purpose, look at the picture "
    "and record its answer anew: edged models verify DIR --image FILE --record"
)


@dataclass(frozen=True, slots=True)
class Golden:
    """A picture, and what is in it."""

    image: BgrImage
    at_least: float  # confidence from which on everything found is recorded
    objects: Detections


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far an engine's answer lies from the recorded one, at most."""

    objects: int
    edge_px: float  # of the picture
    confidence: float  # 0..1


def check_golden(spec: ModelSpec, backend: Backend) -> Agreement | None:
    """Try the model on its golden picture; None when it has none.

    Raises GoldenMismatch with the differences, ModelInvalid when the recorded answer cannot be read.
    """
    golden = read_golden(spec)
    if golden is None:
        return None
    lowest = max(golden.at_least - CONFIDENCE_WITHIN, 0.01)
    found = ModelDetector(spec, backend, confidence=lowest).detect(Frame.of(golden.image))
    return compare(golden, found, spec)


def compare(golden: Golden, found: Detections, spec: ModelSpec) -> Agreement:
    """Hold what was found to what was recorded. Raises GoldenMismatch with the differences."""
    pairs, strange, missing = _match(golden.objects, found)
    objects = golden.objects
    edges = [float(np.abs(objects.xyxy[row] - found.xyxy[column]).max()) for row, column in pairs]
    confidences = [abs(float(objects.confidence[row] - found.confidence[column])) for row, column in pairs]
    wrong = [
        f"{_name(spec, objects, row)}: found with {found.confidence[column]:.0%}"
        for (row, column), apart in zip(pairs, confidences, strict=True)
        if apart > CONFIDENCE_WITHIN
    ]
    wrong += [f"{_name(spec, objects, row)}: not found" for row in missing]
    clear = golden.at_least + CONFIDENCE_WITHIN
    wrong += [f"{_name(spec, found, row)}: was not there" for row in strange if found.confidence[row] > clear]
    if wrong:
        shown = wrong[:SHOWN_AT_MOST]
        if len(wrong) > len(shown):
            shown.append(f"and {len(wrong) - len(shown)} more")
        listing = "".join(f"\n  - {line}" for line in shown)
        raise GoldenMismatch(
            f"Model {spec.name} does not see in its golden picture what was recorded:{listing}", hint=_HINT
        )
    return Agreement(len(pairs), max(edges, default=0.0), max(confidences, default=0.0))


def read_golden(spec: ModelSpec) -> Golden | None:
    """Read the picture and the answer; None when the folder has no answer. Raises ModelNotFound or ModelInvalid."""
    path = spec.folder / ANSWER
    if not path.is_file():
        return None
    picture = next((spec.folder / name for name in PICTURES if (spec.folder / name).is_file()), None)
    if picture is None:
        raise ModelNotFound(f"{path} is there, but no {' or '.join(PICTURES)} beside it.", hint="Copy the picture too.")
    image: Any = cv2.imread(str(picture))
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
        rows = [(row["xyxy"], row["confidence"], spec.labels.index(row["label"])) for row in answer["objects"]]
        at_least = float(answer["at_least"])
        objects = Detections(
            np.array([xyxy for xyxy, _, _ in rows], np.float32).reshape(-1, 4),
            np.array([confidence for _, confidence, _ in rows], np.float32),
            np.array([class_id for _, _, class_id in rows], np.int32),
        )
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise ModelInvalid(
            f"{path} cannot be read: {type(problem).__name__}: {problem}.",
            hint="Record it anew: edged models verify DIR --image FILE --record",
        ) from problem
    if image is None:
        raise ModelInvalid(f"{picture} is no picture that can be decoded.", hint="Copy it again.")
    return Golden(np.asarray(image, np.uint8), at_least, objects)


def record_golden(spec: ModelSpec, backend: Backend, picture: Path, image: BgrImage) -> Detections:
    """Keep a picture, and what the model finds in it from its high_confidence on, in the model's folder.

    Raises ModelInvalid when nothing is found or the file is neither JPEG nor PNG, OutputNotWritable.
    """
    at_least = spec.thresholds.high_confidence
    found = ModelDetector(spec, backend, confidence=at_least).detect(Frame.of(image))
    if not len(found):
        raise ModelInvalid(
            f"The model finds nothing in {picture} with a confidence of {at_least:.0%} or more.",
            hint="Take a picture in which it finds several objects: a test without any would find no fault.",
        )
    kept = {".jpg": PICTURES[0], ".jpeg": PICTURES[0], ".png": PICTURES[1]}.get(picture.suffix.lower())
    if kept is None:
        raise ModelInvalid(f"{picture} is neither a JPEG nor a PNG.", hint="Convert it first.")
    try:
        _keep(spec.folder, kept, picture, _answer(spec, found, at_least))
    except OSError as problem:
        raise OutputNotWritable(
            f"{spec.folder} cannot be written: {problem.strerror}.", hint="Copy the model to a folder of your own."
        ) from problem
    return found


def _keep(folder: Path, kept: str, picture: Path, answer: str) -> None:
    """Replace the picture and the answer: both, or on a full disk neither. Raises OSError."""
    picture_draft, answer_draft = folder / f"{kept}.part", folder / f"{ANSWER}.part"
    try:
        shutil.copyfile(picture, picture_draft)
        answer_draft.write_text(answer, encoding="utf-8")
        for name in (ANSWER, *PICTURES):  # the answer first: a cut of power leaves none, rather than another picture's
            (folder / name).unlink(missing_ok=True)
        picture_draft.replace(folder / kept)
        answer_draft.replace(folder / ANSWER)
    finally:
        for draft in (picture_draft, answer_draft):
            with contextlib.suppress(OSError):
                draft.unlink()


def _answer(spec: ModelSpec, found: Detections, at_least: float) -> str:
    rows = [
        {
            "label": spec.labels[class_id],
            "confidence": round(float(confidence), 3),
            "xyxy": [round(float(edge), 1) for edge in xyxy],
        }
        for xyxy, confidence, class_id in zip(found.xyxy, found.confidence, found.class_id, strict=True)
    ]
    return json.dumps({"at_least": at_least, "objects": rows}, indent=2) + "\n"


def _match(objects: Detections, found: Detections) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pairs of the same class that overlap, the best first; then what was only found, and what was only recorded."""
    overlap = boxes.iou(objects.xyxy, found.xyxy)
    overlap[objects.class_id[:, None] != found.class_id[None]] = 0
    pairs: list[tuple[int, int]] = []
    for row, column in _best_first(overlap):
        if all(row != taken and column != with_ for taken, with_ in pairs):
            pairs.append((row, column))
    rows, columns = {row for row, _ in pairs}, {column for _, column in pairs}
    strange = [column for column in range(len(found)) if column not in columns]
    return pairs, strange, [row for row in range(len(objects)) if row not in rows]


def _best_first(overlap: Any) -> Iterator[tuple[int, int]]:
    for flat in np.argsort(-overlap, axis=None, kind="stable"):  # equal ones in the same order on every processor
        row, column = divmod(int(flat), overlap.shape[1])
        if overlap[row, column] < IOU_AT_LEAST:
            return
        yield row, column


def _name(spec: ModelSpec, detections: Detections, row: int) -> str:
    edges: Sequence[float] = detections.xyxy[row].tolist()
    where = ", ".join(f"{edge:.0f}" for edge in edges)
    return f"{spec.labels[detections.class_id[row]]} {detections.confidence[row]:.0%} at {where}"
