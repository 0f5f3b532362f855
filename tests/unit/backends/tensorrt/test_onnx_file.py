"""What is read in an ONNX file without a library."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.backends.tensorrt.onnx_file import OnnxTensor, check_description, read_onnx
from edged.backends.tensorrt.protobuf import NotProtobuf, fields
from edged.detect.catalogue import find_model
from edged.errors import ModelInvalid, ModelNotFound
from edged.testing.onnx_model import tiny_onnx, write_tiny_onnx_model

SHAPE = (3, 5, 7)


def _check(path: Path, input_name: str = "in0", outputs: tuple[str, ...] = ("out0", "out1")) -> None:
    check_description(read_onnx(path)[0], path, input_name=input_name, output_names=outputs, input_shape=SHAPE)


def test_inputs_outputs_and_types_are_read(tmp_path: Path) -> None:
    facts, content = read_onnx(write_tiny_onnx_model(tmp_path))
    assert content == tiny_onnx()
    assert facts.inputs == (OnnxTensor("in0", (1, 3, 5, 7)),)
    assert facts.outputs == (OnnxTensor("out0", (1, 4, 5, 7)), OnnxTensor("out1", (1, 4)))
    assert facts.operators == {"Conv", "GlobalAveragePool", "Reshape"}
    assert not facts.half
    assert not facts.quantized


def test_files_that_hold_weights_beside_the_model_are_named(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(tiny_onnx(bias_file="tiny.bin"))
    assert read_onnx(path)[0].weight_files == {"tiny.bin"}
    assert read_onnx(write_tiny_onnx_model(tmp_path))[0].weight_files == set()


def test_an_open_side_is_minus_one(tmp_path: Path) -> None:
    facts, _ = read_onnx(write_tiny_onnx_model(tmp_path, shape=(3, -1, -1)))
    assert facts.inputs == (OnnxTensor("in0", (-1, 3, -1, -1)),)


@pytest.mark.parametrize(
    ("name", "input_name", "size", "outputs"),
    [
        ("picodet-s/picodet_s_320_coco.onnx", "image", 320, 8),
        ("yolo26n-320/yolo26n-320-e2e.onnx", "images", 320, 1),
        ("yolox-nano-onnx/yolox_nano.onnx", "images", 416, 1),
    ],
)
def test_real_exports_of_several_tools_are_read(
    shared_dir: Path, name: str, input_name: str, size: int, outputs: int
) -> None:
    facts, _ = read_onnx(shared_dir / "models" / name)
    assert facts.inputs == (OnnxTensor(input_name, (1, 3, size, size)),)
    assert len(facts.outputs) == outputs
    assert "Conv" in facts.operators
    assert not facts.half


def test_a_model_that_fits_its_description_passes(tmp_path: Path) -> None:
    _check(write_tiny_onnx_model(tmp_path))
    _check(write_tiny_onnx_model(tmp_path, shape=(3, -1, -1)))


def test_a_wrong_input_is_named_together_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match=r'has the input in0; model.toml says images[^$]*input = "in0"'):
        _check(write_tiny_onnx_model(tmp_path), "images")


def test_a_missing_output_is_named_together_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match="no output scores; its outputs are out0, out1"):
        _check(write_tiny_onnx_model(tmp_path), outputs=("out0", "scores"))


def test_another_size_than_the_exports_is_refused_before_an_engine_is_built(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match=r"takes 1 x 3 x 6 x 7; model\.toml asks for 1 x 3 x 5 x 7"):
        _check(write_tiny_onnx_model(tmp_path, shape=(3, 6, 7)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"gone\.onnx"):
        read_onnx(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", bytes(100), b"\xff" * 44, b"{}", b"7767517\n4 5\n"])
def test_garbage_is_no_onnx_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelInvalid, match=r"tiny\.onnx is no ONNX file"):
        read_onnx(path)


def test_a_file_that_is_cut_off_anywhere_is_refused_or_has_lost_its_graph(tmp_path: Path) -> None:
    whole, path = tiny_onnx(), tmp_path / "tiny.onnx"
    end_of_graph = len(whole) - 4  # the opset comes after it
    for size in range(end_of_graph):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelInvalid):
            read_onnx(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_to_their_end_or_refused(content: bytes) -> None:
    try:
        sizes = [value if isinstance(value, int) else len(value) for _, value in fields(memoryview(content))]
    except NotProtobuf:
        return
    assert all(size >= 0 for size in sizes)


def test_weights_that_are_only_kept_in_float16_do_not_make_a_half_model() -> None:
    facts, _ = read_onnx(find_model("builtin") / "edged-nano.onnx")
    assert "Cast" in facts.operators
    assert not facts.half
