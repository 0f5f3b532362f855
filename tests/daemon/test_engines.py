"""Another engine for the same model changes nothing in what is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.daemon.conftest import Box

_SAME = ("kind", "camera", "label", "track_id", "duration_s")


def _story(box: Box, clip: Path, engine: str) -> list[dict[str, Any]]:
    """The events of a run that are about objects."""
    box.data = box.folder / engine
    box.config.write_text(
        f'data_dir = "{engine}"\n[model]\npath = "builtin"\nbackend = "{engine}"\n'
        f'[[camera]]\nname = "street"\nsource = "{clip}"\n'
    )
    ended = box.end_of(box.start("run", "-c", box.config), within_s=240)  # 795 frames, maybe on a busy machine
    assert ended.code == 0, ended.err
    status = box.status()
    assert status is not None
    assert status["backend"] == engine
    return [event for event in box.events() if event["kind"] in ("appeared", "left")]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_built_in_model_reports_the_same_events_in_ncnn_and_onnxruntime(box: Box, shared_dir: Path) -> None:
    clip = shared_dir / "videos" / "vtest.avi"
    told, again = _story(box, clip, "ncnn"), _story(box, clip, "onnxruntime")
    assert len(told) > 10
    for one, other in zip(told, again, strict=True):
        assert {key: one[key] for key in _SAME} == {key: other[key] for key in _SAME}
        assert other["at"] - again[0]["at"] == pytest.approx(one["at"] - told[0]["at"], abs=0.002)
        assert other["confidence"] == pytest.approx(one["confidence"], abs=0.02)
        assert other["tlwh"] == pytest.approx(one["tlwh"], abs=2)
