from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from edged.backends.ncnn import NcnnBackend, Precision
from edged.errors import BackendError
from edged.testing.ncnn_model import GRAPH, tiny_answer, write_tiny_ncnn_model

SHAPE = (3, 6, 8)


def _backend(folder: Path, precision: Precision = Precision.AUTO, threads: int = 1) -> NcnnBackend:
    param, weights = write_tiny_ncnn_model(folder)
    return NcnnBackend(
        param,
        weights,
        input_name="in0",
        output_names=["out1", "out0"],
        input_shape=SHAPE,
        precision=precision,
        threads=threads,
    )


def _blob() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).random(SHAPE, dtype=np.float32)


@pytest.mark.parametrize(
    ("precision", "tolerance"), [(Precision.FP32, 1e-5), (Precision.AUTO, 1e-2), (Precision.BF16, 5e-2)]
)
@pytest.mark.parametrize("threads", [1, 2])
def test_every_precision_and_number_of_threads_gives_the_answer(
    tmp_path: Path, precision: Precision, tolerance: float, threads: int
) -> None:
    mean, mapped = _backend(tmp_path, precision, threads).infer(_blob())
    expected_mapped, expected_mean = tiny_answer(_blob())
    np.testing.assert_allclose(mapped, expected_mapped, atol=tolerance)
    np.testing.assert_allclose(mean, expected_mean, atol=tolerance)


def test_a_layer_that_works_in_place_on_the_input_neither_crashes_nor_changes_the_blob(tmp_path: Path) -> None:
    param, weights = tmp_path / "m.param", tmp_path / "m.bin"
    param.write_text("7767517\n2 2\nInput in0 0 1 in0\nBinaryOp half 1 1 in0 out0 0=2 1=1 2=0.5\n")
    weights.write_bytes(b"")
    backend = NcnnBackend(
        param, weights, input_name="in0", output_names=["out0"], input_shape=SHAPE, precision=Precision.FP32
    )
    blob = _blob()
    np.testing.assert_allclose(backend.infer(blob)[0], _blob() / 2)
    np.testing.assert_array_equal(blob, _blob())


def test_threads_wait_without_spinning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    _backend(tmp_path)
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")  # whoever sets it knows why
    _backend(tmp_path)
    assert os.environ["OMP_WAIT_POLICY"] == "active"


def test_without_ncnn_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ncnn", None)
    with pytest.raises(BackendError, match="cannot be imported") as caught:
        _backend(tmp_path)
    assert caught.value.hint == "pip install ncnn"


def test_a_layer_that_ncnn_does_not_know_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    param, weights = write_tiny_ncnn_model(tmp_path, graph=GRAPH.replace("Pooling", "Frobnicate"))
    with pytest.raises(BackendError, match=r"ncnn refused .*tiny\.param"):
        NcnnBackend(param, weights, input_name="in0", output_names=["out0"], input_shape=SHAPE)
