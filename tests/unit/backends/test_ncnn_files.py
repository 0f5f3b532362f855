from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edged.backends.ncnn_files import check_files
from edged.backends.ncnn_graph import read_graph
from edged.backends.ncnn_shapes import check_input_size
from edged.errors import ModelError, ModelInvalid, ModelNotFound
from edged.testing.ncnn_model import GRAPH, write_tiny_ncnn_model

MARKS = {"float32": (0, 4), "float32 kept": (0x0002C056, 4), "float16": (0x01306B47, 2), "int8": (0x000D4B38, 1)}


def _graph(*lines: str) -> str:
    """A graph of one input and these layers, each of which makes one tensor."""
    return f"7767517\n{len(lines) + 1} {len(lines) + 1}\nInput in0 0 1 in0\n" + "\n".join(lines) + "\n"


def _check(folder: Path, graph: str, weights: bytes) -> None:
    (folder / "m.param").write_text(graph)
    (folder / "m.bin").write_bytes(weights)
    check_files(folder / "m.param", folder / "m.bin", input_name="in0", output_names=["out0"])


def _weights(mark: str, count: int) -> bytes:
    code, size = MARKS[mark]
    return struct.pack("<I", code) + bytes((count * size + 3) // 4 * 4)


def test_a_graph_is_read_with_its_names(tmp_path: Path) -> None:
    graph = read_graph(write_tiny_ncnn_model(tmp_path)[0])
    assert (graph.inputs(), graph.outputs()) == (["in0"], ["out0", "out1"])
    assert graph.consumers("in0") == ["Convolution"]
    assert graph.layers[1].option(6, 0) == 12


@pytest.mark.parametrize("mark", list(MARKS))
@pytest.mark.parametrize(
    ("layer", "count", "floats"),
    [
        ("Convolution c 1 1 in0 out0 0=5 6=27", 27, 0),
        ("Convolution c 1 1 in0 out0 0=5 5=1 6=27", 27, 5),
        ("Convolution c 1 1 in0 out0 0=5 5=1 6=27 8=2", 27, 5 + 5 + 1),
        ("Convolution c 1 1 in0 out0 0=5 5=1 6=27 8=102", 27, 5 + 5 + 1 + 1),
        ("ConvolutionDepthWise c 1 1 in0 out0 0=3 5=1 6=27 7=3", 27, 3),
        ("ConvolutionDepthWise c 1 1 in0 out0 0=3 5=1 6=27 7=3 8=1", 27, 3 + 3 + 1),
        ("ConvolutionDepthWise c 1 1 in0 out0 0=3 5=1 6=27 7=3 8=101", 27, 3 + 3 + 1 + 1),
        ("ConvolutionDepthWise c 1 1 in0 out0 0=3 5=1 6=27 7=3 8=2", 27, 3 + 1 + 1),
        ("Deconvolution c 1 1 in0 out0 0=5 5=1 6=27", 27, 5),
        ("InnerProduct c 1 1 in0 out0 0=5 1=1 2=27", 27, 5),
        ("InnerProduct c 1 1 in0 out0 0=5 1=1 2=27 8=2", 27, 5 + 5 + 1),
        ("MemoryData c 0 1 out0 0=9 1=3 21=0", 27, 0),
    ],
)
def test_the_length_of_the_bin_is_reckoned_for_each_kind_of_number(
    tmp_path: Path, layer: str, count: int, floats: int, mark: str
) -> None:
    right = _weights(mark, count) + bytes(4 * floats)
    _check(tmp_path, _graph(layer), right)
    for wrong in (right[:-1], right + b"\0"):
        with pytest.raises(ModelInvalid):
            _check(tmp_path, _graph(layer), wrong)


@pytest.mark.parametrize(
    ("layer", "length"),
    [
        ("MemoryData c 0 1 out0 0=9 1=3", 27 * 4),
        ("BatchNorm c 1 1 in0 out0 0=7", 4 * 7 * 4),
        ("PReLU c 1 1 in0 out0 0=7", 7 * 4),
        ("Convolution c 2 1 in0 in0 out0 0=5 6=27 19=1", 0),
        ("ReLU c 1 1 in0 out0", 0),
    ],
)
def test_layers_without_marked_weights_are_reckoned_too(tmp_path: Path, layer: str, length: int) -> None:
    _check(tmp_path, _graph(layer), bytes(length))
    with pytest.raises(ModelInvalid):
        _check(tmp_path, _graph(layer), bytes(length + 4))


def test_behind_a_layer_that_nobody_described_ncnn_must_judge(tmp_path: Path) -> None:
    _check(tmp_path, _graph("LSTM c 1 1 in0 out0 0=7"), bytes(1234))


@pytest.mark.parametrize(
    ("model", "param"),
    [
        ("fastestdet", "FastestDet.param"),
        ("nanodet-m", "nanodet-m.param"),
        ("nanodet-m", "nanodet-m-416.param"),
        ("picodet-s", "picodet_s_320.param"),
        ("picodet-s", "picodet_s_416.param"),
        ("yolo26n-320", "yolo26n-320.ncnn.param"),
        ("yolox-nano-onnx", "yolox_nano.ncnn.param"),
    ],
)
def test_real_models_have_exactly_the_reckoned_length(shared_dir: Path, model: str, param: str) -> None:
    path = shared_dir / "models" / model / param
    graph = read_graph(path)
    binary = path.with_suffix(".bin")
    check_files(path, binary, input_name=graph.inputs()[0], output_names=graph.outputs())


def test_wrong_names_are_answered_with_the_right_ones(tmp_path: Path) -> None:
    param, weights = write_tiny_ncnn_model(tmp_path)
    with pytest.raises(ModelInvalid, match=r"has the input in0; model.toml says images") as caught:
        check_files(param, weights, input_name="images", output_names=["out0"])
    assert 'input = "in0"' in caught.value.hint
    with pytest.raises(ModelInvalid, match="has no output output0; its outputs are out0, out1"):
        check_files(param, weights, input_name="in0", output_names=["out0", "output0"])


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_file_is_named(tmp_path: Path, missing: int) -> None:
    files = write_tiny_ncnn_model(tmp_path)
    files[missing].unlink()
    with pytest.raises(ModelNotFound, match=files[missing].name):
        check_files(*files, input_name="in0", output_names=["out0"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=200), at=st.integers(0, len(GRAPH)))
def test_no_damage_to_the_text_makes_the_reader_fail_otherwise(tmp_path: Path, garbage: bytes, at: int) -> None:
    param, weights = write_tiny_ncnn_model(tmp_path)
    param.write_bytes(GRAPH[:at].encode() + garbage + GRAPH[at:].encode())
    try:
        graph = check_files(param, weights, input_name="in0", output_names=["out0"])
        check_input_size(graph, param, input_name="in0", input_shape=(3, 32, 32))
    except ModelError:
        pass


@pytest.mark.parametrize(
    ("lines", "fits", "misfits"),
    [
        (["Convolution c 1 1 in0 a 0=8 1=3 3=2 4=1", "Reshape r 1 1 a b 0=256 1=8"], (32, 32), (34, 32)),
        (["Convolution c 1 1 in0 a 0=8 1=3 3=2 4=-233", "Reshape r 1 1 a b 0=256 1=8"], (31, 32), (33, 32)),
        (["Pooling p 1 1 in0 a 1=2 2=2", "Reshape r 1 1 a b 0=16 1=16 2=3"], (31, 31), (33, 31)),
        (["Pooling p 1 1 in0 a 1=2 2=2 5=1", "Reshape r 1 1 a b 0=15 1=15 2=3"], (31, 31), (32, 31)),
        (["Interp i 1 1 in0 a 0=1 1=2.0 2=2.0", "Reshape r 1 1 a b 0=4096 1=-1"], (32, 32), (31, 32)),
        (["Slice s 1 2 in0 a b -23300=2,1,-233", "Reshape r 1 1 b c 0=16 1=16 2=2"], (16, 16), (17, 16)),
        (["Crop k 1 1 in0 a -23309=1,1 -23310=1,-233 -23311=1,0", "Reshape r 1 1 a b 0=512"], (16, 16), (8, 16)),
        (["Concat k 2 1 in0 in0 a 0=0", "Reshape r 1 1 a b 0=6 1=-1"], (32, 32), None),
        (["Softmax s 1 1 in0 a", "Reshape r 1 1 a b 0=7"], (32, 32), None),  # unknown: nothing is said
        (["Reshape r 1 1 in0 a 0=0 1=-1"], (32, 32), None),
        (["Reshape r 1 1 in0 a 0=x"], (32, 32), None),
        (["Pooling p 1 1 in0 a 1=2 2=0", "Reshape r 1 1 a b 0=7"], (32, 32), None),
        (["Crop k 1 1 in0 a -23309=1,x -23310=1,1 -23311=1,0", "Reshape r 1 1 a b 0=7"], (32, 32), None),
    ],
)
def test_a_reshape_tells_the_size_that_the_graph_was_exported_for(
    tmp_path: Path, lines: list[str], fits: tuple[int, int], misfits: tuple[int, int] | None
) -> None:
    outputs = 1 + sum(int(line.split()[3]) for line in lines)
    text = f"7767517\n{len(lines) + 1} {outputs}\nInput in0 0 1 in0\n" + "\n".join(lines)
    path = tmp_path / "m.param"
    path.write_text(text)
    graph = read_graph(path)
    check_input_size(graph, path, input_name="in0", input_shape=(3, *fits))
    if misfits is not None:
        with pytest.raises(ModelInvalid, match="another input size"):
            check_input_size(graph, path, input_name="in0", input_shape=(3, *misfits))


def test_the_official_export_of_yolo26n_is_known_to_be_for_320(shared_dir: Path) -> None:
    path = shared_dir / "models" / "yolo26n-320" / "ultralytics_export_320.ncnn.param"
    graph = read_graph(path)
    check_input_size(graph, path, input_name="in0", input_shape=(3, 320, 320))
    for side in (32, 288, 352, 640):
        with pytest.raises(ModelInvalid, match="another input size"):
            check_input_size(graph, path, input_name="in0", input_shape=(3, side, side))


def test_weights_that_numpy_wrote_are_what_ncnn_reads(tmp_path: Path) -> None:
    _, weights = write_tiny_ncnn_model(tmp_path)
    assert len(weights.read_bytes()) == 4 + 12 * np.dtype(np.float16).itemsize + 4 * np.dtype(np.float32).itemsize
