from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.app import demo_config, load_detector
from edged.domain.frame import BgrImage, Frame
from scripts.laboratory.experiments.passer_by import HEIGHT_PX, WIDTH_PX, emptied, film, scene, yuyv

FRAME_BYTES = WIDTH_PX * HEIGHT_PX * 2


def decoded(frame: bytes) -> BgrImage:
    packed = np.frombuffer(frame, np.uint8).reshape(HEIGHT_PX, WIDTH_PX, 2)
    return np.asarray(cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_YUYV), np.uint8)


def test_a_picture_goes_through_yuyv_as_the_camera_would_show_it() -> None:
    grey = np.full((HEIGHT_PX, WIDTH_PX, 3), (40, 120, 200), np.uint8)
    assert np.abs(decoded(yuyv(grey)).astype(int) - grey).max() <= 3


def test_no_picture_of_a_film_is_like_the_one_before_it_not_even_at_its_end() -> None:
    image, _ = scene()
    played = film(image)
    frames = [played[start : start + FRAME_BYTES] for start in range(0, len(played), FRAME_BYTES)]
    assert all(len(frame) == FRAME_BYTES for frame in frames)
    assert all(frame != after for frame, after in zip(frames, [*frames[1:], frames[0]], strict=True))


@pytest.mark.slow
def test_the_built_in_model_sees_people_on_one_film_and_nobody_on_the_other(tmp_path: Path) -> None:
    config = demo_config(camera="film", source="film.mp4", model="builtin", data_dir=tmp_path, every=1, threads=1)
    detector = load_detector(config)
    image, boxes = scene()

    def seen(picture: BgrImage) -> list[float]:
        shown = decoded(yuyv(picture))
        frame = Frame(seq=0, captured_at=0.0, width_px=WIDTH_PX, height_px=HEIGHT_PX, decode=lambda: shown)
        found = detector.detect(frame)
        persons = found.class_id == detector.labels.index("person")
        return sorted((float(confidence) for confidence in found.confidence[persons]), reverse=True)

    try:
        assert seen(image)[0] > 0.55
        assert all(confidence < 0.3 for confidence in seen(emptied(image, boxes)))
    finally:
        detector.close()
