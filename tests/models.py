"""Model folders for tests and benchmarks, put together from the files in the shared folder.

The shared files have no model.toml; each function writes one into a new folder below `tmp_path` and links the weights.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from edged.detect.catalogue import find_model
from edged.domain.coco import COCO80
from tests.litert_twin import write_litert_twin


def picodet_folder(tmp_path: Path, shared: Path, size: int = 416) -> Path:
    """PicoDet-S, COCO-80; `size` 320 or 416."""
    source = shared / "models" / "picodet-s"
    names = [f"save_infer_model/scale_{number}.tmp_1" for number in range(8)]
    return _folder(
        tmp_path / f"picodet-s-{size}",
        {f"picodet_s_{size}{end}": source / f"picodet_s_{size}{end}" for end in (".param", ".bin", "_coco.onnx")},
        f"""
        name = "picodet-s-{size}"
        licence = "Apache-2.0"
        source = "PaddleDetection, PP-PicoDet-S (2021.10)"
        labels = "coco80"

        [input]
        width_px = {size}
        height_px = {size}
        colour = "rgb"
        resize = "stretch"
        mean = [123.675, 116.28, 103.53]
        scale = [0.017124754, 0.017507003, 0.017429194]

        [head]
        family = "gfl"
        strides = [8, 16, 32, 64]

        [thresholds]
        nms_iou = 0.6
        low_confidence = 0.3
        high_confidence = 0.55

        [ncnn]
        param = "picodet_s_{size}.param"
        bin = "picodet_s_{size}.bin"
        input = "in0"
        outputs = ["out0", "out1", "out2", "out3", "out4", "out5", "out6", "out7"]

        [onnx]
        model = "picodet_s_{size}_coco.onnx"
        input = "image"
        outputs = {names}
        """,
    )


def builtin_everywhere_folder(tmp_path: Path) -> Path:
    """The model that comes with edged, with a float32 twin for LiteRT too."""
    folder = tmp_path / "builtin-everywhere"
    shutil.copytree(find_model("builtin"), folder)
    param, weights = folder / "edged-nano.param", folder / "edged-nano.bin"
    write_litert_twin(param, weights, folder / "edged-nano.tflite", input_shape=(3, 320, 320))
    outputs = [f"out{number}" for number in range(8)]
    with (folder / "model.toml").open("a") as file:
        file.write(f'\n[litert]\nmodel = "edged-nano.tflite"\ninput = "in0"\noutputs = {outputs}\n')
    return folder


def nanodet_folder(tmp_path: Path, shared: Path) -> Path:
    """NanoDet-m at 320, COCO-80."""
    source = shared / "models" / "nanodet-m"
    kinds = [f"{kind}_pred_stride_{stride}" for kind in ("cls", "dis") for stride in (8, 16, 32)]
    return _folder(
        tmp_path / "nanodet-m",
        {name: source / name for name in ("nanodet-m.param", "nanodet-m.bin")},
        f"""
        name = "nanodet-m"
        licence = "Apache-2.0"
        source = "RangiLyu/nanodet, NanoDet-m 0.x"
        labels = "coco80"

        [input]
        width_px = 320
        height_px = 320
        colour = "bgr"
        resize = "letterbox"
        pad_value = 0
        mean = [103.53, 116.28, 123.675]
        scale = [0.017429, 0.017507, 0.017125]

        [head]
        family = "gfl"
        strides = [8, 16, 32]

        [thresholds]
        low_confidence = 0.3
        high_confidence = 0.5

        [ncnn]
        param = "nanodet-m.param"
        bin = "nanodet-m.bin"
        input = "input.1"
        outputs = {kinds}
        """,
    )


def yolox_folder(tmp_path: Path, shared: Path) -> Path:
    """YOLOX-nano 0.1.1 at 416, COCO-80: raw BGR values in, ncnn and onnx twins."""
    source = shared / "models" / "yolox-nano-onnx"
    return _folder(
        tmp_path / "yolox-nano",
        {name: source / name for name in ("yolox_nano.ncnn.param", "yolox_nano.ncnn.bin", "yolox_nano.onnx")},
        """
        name = "yolox-nano"
        licence = "Apache-2.0"
        source = "Megvii YOLOX 0.1.1, YOLOX-nano"
        labels = "coco80"

        [input]
        width_px = 416
        height_px = 416
        colour = "bgr"
        resize = "letterbox-top-left"
        mean = [0, 0, 0]
        scale = [1, 1, 1]

        [head]
        family = "yolox"
        strides = [8, 16, 32]

        [thresholds]
        low_confidence = 0.1
        high_confidence = 0.4

        [ncnn]
        param = "yolox_nano.ncnn.param"
        bin = "yolox_nano.ncnn.bin"
        input = "in0"
        outputs = ["out0"]

        [onnx]
        model = "yolox_nano.onnx"
        input = "images"
        outputs = ["output"]
        """,
    )


def yolo26n_folder(tmp_path: Path, shared: Path) -> Path:
    """YOLO26n at 320, COCO-80, with a model.toml."""
    source = shared / "models" / "yolo26n-320"
    return _folder(
        tmp_path / "yolo26n",
        {name: source / name for name in ("yolo26n-320.ncnn.param", "yolo26n-320.ncnn.bin")},
        f"""
        name = "yolo26n"
        {_YOLO26N}
        [head]
        family = "ultralytics"

        [ncnn]
        param = "yolo26n-320.ncnn.param"
        bin = "yolo26n-320.ncnn.bin"
        input = "in0"
        outputs = ["out0"]
        """,
    )


def yolo26n_twins_folder(tmp_path: Path, shared: Path) -> Path:
    """YOLO26n at 320, COCO-80, for ncnn, ONNX Runtime and LiteRT (int8): one folder, heads of three kinds."""
    source = shared / "models" / "yolo26n-320"
    names = ("yolo26n-320.ncnn.param", "yolo26n-320.ncnn.bin", "yolo26n-320-e2e.onnx", "yolo26n_int8_320.tflite")
    return _folder(
        tmp_path / "yolo26n-twins",
        {name: source / name for name in names},
        f"""
        name = "yolo26n-twins"
        {_YOLO26N}
        [head]
        family = "ultralytics"

        [ncnn]
        param = "{names[0]}"
        bin = "{names[1]}"
        input = "in0"
        outputs = ["out0"]

        [onnx]
        model = "{names[2]}"
        input = "images"
        outputs = ["output0"]
        family = "end2end"

        [litert]
        model = "{names[3]}"
        input = "images"
        outputs = ["Identity"]
        family = "end2end"
        boxes = "fractions"
        """,
    )


def yolo26n_end2end_folder(tmp_path: Path, shared: Path) -> Path:
    """YOLO26n at 320 as an end-to-end model, onnx alone."""
    name = "yolo26n-320-e2e.onnx"
    return _folder(
        tmp_path / "yolo26n-end2end",
        {name: shared / "models" / "yolo26n-320" / name},
        f"""
        name = "yolo26n-end2end"
        {_YOLO26N}
        [head]
        family = "end2end"

        [onnx]
        model = "{name}"
        input = "images"
        outputs = ["output0"]
        """,
    )


def yolo26n_exported_folder(tmp_path: Path, shared: Path) -> Path:
    """YOLO26n at 320 as `yolo export format=ncnn` leaves it: metadata.yaml and no model.toml."""
    source = shared / "models" / "yolo26n-320"
    folder = tmp_path / "yolo26n_ncnn_model"
    folder.mkdir()
    for end in ("param", "bin"):
        (folder / f"model.ncnn.{end}").symlink_to(source / f"yolo26n-320.ncnn.{end}")
    (folder / "metadata.yaml").write_text(ULTRALYTICS_METADATA)
    return folder


def _folder(folder: Path, files: dict[str, Path], toml: str) -> Path:
    folder.mkdir()
    for name, target in files.items():
        (folder / name).symlink_to(target)
    (folder / "model.toml").write_text("\n".join(line.strip() for line in toml.splitlines()))
    return folder


_YOLO26N = """
        licence = "AGPL-3.0"
        source = "Ultralytics YOLO26n"
        labels = "coco80"

        [input]
        width_px = 320
        height_px = 320
        colour = "rgb"
        resize = "letterbox"
        mean = [0, 0, 0]
        scale = [0.00392156862745098, 0.00392156862745098, 0.00392156862745098]

        [thresholds]
        nms_iou = 0.7
        low_confidence = 0.1
        high_confidence = 0.25
"""

ULTRALYTICS_METADATA = (
    """\
description: Ultralytics YOLO26n model trained on /usr/src/ultralytics/ultralytics/cfg/datasets/coco.yaml
  and a second line, because YAML folds what is long
author: Ultralytics
date: '2026-10-28T09:14:03.523710'
version: 8.4.190
license: AGPL-3.0 License (https://ultralytics.com/license)
docs: https://docs.ultralytics.com
stride: 32
task: detect
batch: 1
imgsz:
- 320
- 320
names:
"""
    + "".join(f"  {number}: {label}\n" for number, label in enumerate(COCO80))
    + """\
args:
  batch: 1
  half: false
  nms: false
channels: 3
end2end: true
"""
)
