"""LiteRT's own ways: quantised models, and files that are none. What every engine promises is in the contract tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edged.backends.litert import EdgeTpuEngine, LiteRtBackend, LiteRtEngine
from edged.domain.engines import Absent, Present
from edged.errors import BackendError, ModelInvalid, ModelNotFound
from edged.testing.litert_model import write_tiny_litert_model
from edged.testing.litert_writer import QUANTUM, ZERO_POINT
from edged.testing.ncnn_model import tiny_answer

SHAPE = (3, 5, 7)
NAMES: dict[str, Any] = {"input_name": "in0", "output_names": ["out0", "out1"], "input_shape": SHAPE}


def _steps(values: Any) -> Any:
    """What is left of values in int8."""
    return (np.clip(np.round(values / QUANTUM) + ZERO_POINT, -128, 127) - ZERO_POINT) * QUANTUM


@pytest.mark.parametrize("channels_last", [True, False])
def test_a_quantised_model_gets_its_input_quantised_and_gives_floats(tmp_path: Path, channels_last: bool) -> None:
    path = write_tiny_litert_model(tmp_path, quantised=True, channels_last=channels_last)
    backend = LiteRtBackend(path, **NAMES)
    blob = np.random.default_rng(1).uniform(-1, 3, SHAPE).astype(np.float32)  # beyond what int8 can say here, too
    assert blob.min() < (-128 - ZERO_POINT) * QUANTUM + 1
    assert blob.max() > (127 - ZERO_POINT) * QUANTUM
    found = backend.infer(blob)
    for one, exact in zip(found, tiny_answer(_steps(blob).astype(np.float32)), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, _steps(exact), atol=QUANTUM * 1.01)


def test_a_wrong_input_name_or_output_name_is_refused_with_the_right_ones(tmp_path: Path) -> None:
    path = write_tiny_litert_model(tmp_path)
    with pytest.raises(ModelInvalid, match=r"has the input in0; model.toml says images"):
        LiteRtBackend(path, **(NAMES | {"input_name": "images"}))
    with pytest.raises(ModelInvalid, match=r"no output boxes; its outputs are out0, out1"):
        LiteRtBackend(path, **(NAMES | {"output_names": ["boxes"]}))


def test_a_model_of_another_size_is_refused(tmp_path: Path) -> None:
    path = write_tiny_litert_model(tmp_path)
    with pytest.raises(ModelInvalid, match=r"float32 of shape \(1, 5, 7, 3\)"):
        LiteRtBackend(path, **(NAMES | {"input_shape": (3, 7, 5)}))


def test_an_absent_file_is_said_to_be_absent(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"nowhere.tflite"):
        LiteRtBackend(tmp_path / "nowhere.tflite", **NAMES)


def test_it_is_present_where_its_package_is() -> None:
    presence = LiteRtEngine().presence()
    assert isinstance(presence, Present)
    assert presence.detail.startswith("ai-edge-litert ")


def test_without_corals_library_there_is_no_edge_tpu() -> None:
    presence = EdgeTpuEngine().presence()
    if isinstance(presence, Present):
        pytest.skip("this machine has Coral's library")
    assert isinstance(presence, Absent)
    assert "libedgetpu.so.1" in presence.reason
    assert "libedgetpu1-std" in presence.hint


def test_an_edge_tpu_backend_without_the_library_says_so(tmp_path: Path) -> None:
    if isinstance(EdgeTpuEngine().presence(), Present):
        pytest.skip("this machine has Coral's library")
    with pytest.raises(BackendError, match=r"Edge TPU.*libedgetpu"):
        LiteRtBackend(write_tiny_litert_model(tmp_path), **NAMES, edge_tpu=True)
