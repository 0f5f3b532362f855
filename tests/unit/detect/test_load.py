from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edged.detect.load import load_spec
from edged.detect.spec import Colour, Family, Resize
from edged.domain.coco import COCO80
from edged.errors import ModelError, ModelInvalid, ModelNotFound
from tests import models
from tests.models import ULTRALYTICS_METADATA

GOOD = """
name = "small"
licence = "Apache-2.0"
source = "https://example.org"
labels = ["person", "car"]

[input]
width_px = 320
height_px = 256
colour = "bgr"
resize = "stretch"
mean = [1, 2.5, 3]
scale = [0.1, 0.2, 0.3]

[head]
family = "gfl"
strides = [8, 16]

[thresholds]
low_confidence = 0.2
high_confidence = 0.5

[ncnn]
param = "small.param"
bin = "small.bin"
input = "in0"
outputs = ["a", "b", "c", "d"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.param").write_text("graph")
    (tmp_path / "small.bin").write_bytes(b"weights")
    (tmp_path / "model.toml").write_text(GOOD)
    return tmp_path


def _change(folder: Path, *changes: tuple[str, str]) -> None:
    text = (folder / "model.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "model.toml").write_text(text)


def _mistakes(folder: Path) -> list[str]:
    with pytest.raises(ModelInvalid) as caught:
        load_spec(folder)
    return [line.removeprefix("  - ") for line in caught.value.message.splitlines()[1:]]


def test_every_field_arrives(folder: Path) -> None:
    spec = load_spec(folder)
    assert (spec.name, spec.licence, spec.source) == ("small", "Apache-2.0", "https://example.org")
    assert spec.labels == ("person", "car")
    assert spec.input_shape == (3, 256, 320)
    assert (spec.input.colour, spec.input.resize) == (Colour.BGR, Resize.STRETCH)
    assert (spec.input.mean, spec.input.scale) == ((1, 2.5, 3), (0.1, 0.2, 0.3))
    assert (spec.head.family, spec.head.strides) == (Family.GFL, (8, 16))
    engine = spec.files("ncnn")
    assert engine.files == {"param": folder / "small.param", "bin": folder / "small.bin"}
    assert (engine.input_name, engine.output_names) == ("in0", ("a", "b", "c", "d"))


def test_thresholds_that_are_left_out_follow_the_others(folder: Path) -> None:
    thresholds = load_spec(folder).thresholds
    assert (thresholds.confidence, thresholds.new_track_confidence) == (0.2, 0.5)
    _change(folder, ("[thresholds]", "[thresholds]\nconfidence = 0.1\nnew_track_confidence = 0.7\nnms_iou = 0.45"))
    thresholds = load_spec(folder).thresholds
    assert (thresholds.confidence, thresholds.new_track_confidence, thresholds.nms_iou) == (0.1, 0.7, 0.45)


def test_labels_may_be_a_list_by_name(folder: Path) -> None:
    _change(folder, ('["person", "car"]', '"coco80"'))
    assert load_spec(folder).labels == COCO80
    assert len(COCO80) == 80


def test_an_engine_without_files_is_an_error_that_names_the_others(folder: Path) -> None:
    with pytest.raises(ModelInvalid, match="tensorrt") as caught:
        load_spec(folder).files("tensorrt")
    assert "ncnn" in caught.value.hint


def test_all_mistakes_are_said_at_once(folder: Path) -> None:
    _change(
        folder,
        ('name = "small"\n', ""),
        ('["person", "car"]', '["person", "person"]'),
        ("width_px = 320", "width_px = 31"),
        ("height_px = 256", "hight_px = 256"),
        ('colour = "bgr"', 'colour = "bgra"'),
        ("mean = [1, 2.5, 3]", "mean = [1, 2.5]"),
        ("scale = [0.1, 0.2, 0.3]", "scale = [0.1, 0, 0.3]"),
        ("strides = [8, 16]", "strides = [8, true]"),
        ("low_confidence = 0.2", "low_confidence = 0.9"),
        ('bin = "small.bin"', 'bin = "../small.bin"'),
        ('outputs = ["a", "b", "c", "d"]', "outputs = 4"),
        ("[ncnn]", "[ncn]\nx = 1\n[ncnn]"),
    )
    mistakes = _mistakes(folder)
    expected = [
        "name is missing",
        "labels = ['person', 'person']: expected a list of different texts, or 'coco80'",
        "input.width_px = 31: expected a whole number of pixels, 32 to 4096",
        "input.height_px is missing",
        "input.hight_px is unknown: did you mean height_px?",
        'input.colour = \'bgra\': expected one of "rgb", "bgr"',
        "input.mean = [1, 2.5]: expected three numbers",
        "input.scale = [0.1, 0, 0.3]: expected three numbers other than 0",
        "head.strides = [8, True]: expected a list of whole numbers",
        "thresholds.low_confidence = 0.9 lies above thresholds.high_confidence = 0.5",
        "ncnn.bin = '../small.bin': expected the name of a file in this folder",
        "ncnn.outputs = 4: expected a list of different texts",
        "ncn is unknown: did you mean ncnn?",
    ]
    for line in expected:
        assert any(mistake.startswith(line) for mistake in mistakes), (line, mistakes)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("[ncnn]", "[onx]", "no engine: expected a table [ncnn] or [onnx] or [litert] or [edgetpu] or [tensorrt]"),
        ('outputs = ["a", "b", "c", "d"]', 'outputs = ["a"]', "ncnn.outputs names 1: the head gfl has 4"),
        ('family = "gfl"', 'family = "yolo"', "head.family = 'yolo': expected one of"),
        ("strides = [8, 16]", "", "head.strides is missing"),
        ("[input]", "[[input]]", "input = "),
        ("width_px = 320", "width_px = 320.0", "input.width_px = 320.0: expected"),
        ("width_px = 320", "width_px = 328", "input.width_px = 328: expected a multiple of 16"),
        ("width_px = 320", "width_px = true", "input.width_px = True: expected"),
        ("mean = [1, 2.5, 3]", "mean = [1, nan, 3]", "input.mean = [1, nan, 3]: expected"),
        ("low_confidence = 0.2", "low_confidence = 20", "thresholds.low_confidence = 20: expected a number, 0 to 1"),
        (
            "high_confidence = 0.5",
            "high_confidence = 0.5\nnew_track_confidence = 0.4",
            "thresholds.high_confidence = 0.5 lies above thresholds.new_track_confidence = 0.4",
        ),
        ('labels = ["person", "car"]', 'labels = "coco81"', "labels = 'coco81': expected"),
        ('labels = ["person", "car"]', 'labels = ["person", " "]', "labels = ['person', ' ']: expected"),
        ('labels = ["person", "car"]', 'labels = ["person", 3]', "labels = ['person', 3]: expected"),
        (
            "[thresholds]",
            "[thresholds]\nconfidense = 0.3",
            "thresholds.confidense is unknown: did you mean confidence?",
        ),
    ],
)
def test_a_single_mistake_is_named_with_its_place(folder: Path, old: str, new: str, mistake: str) -> None:
    _change(folder, (old, new))
    assert any(line.startswith(mistake) for line in _mistakes(folder))


def test_an_unknown_table_is_told_every_engines_table_once(folder: Path) -> None:
    _change(folder, ("[ncnn]", "[xyz]\nx = 1\n[ncnn]"))
    (mistake,) = _mistakes(folder)
    known = mistake.removeprefix("xyz is unknown: known here: ").split(", ")
    assert {"ncnn", "onnx", "litert", "edgetpu", "tensorrt"} <= set(known)
    assert len(known) == len(set(known))


@pytest.mark.parametrize(
    "text",
    ["name = ", "\x00", "name = 1\nname = 2", "name = " + "[" * 20_000, "name = " + "1" * 5000],
    ids=["no value", "NUL", "twice", "too deep", "too long"],
)
def test_a_file_that_is_no_toml_is_said_so(folder: Path, text: str) -> None:
    (folder / "model.toml").write_text(text)
    with pytest.raises(ModelInvalid, match="cannot be read"):
        load_spec(folder)


def test_a_byte_order_mark_of_an_editor_is_passed_over(folder: Path) -> None:
    (folder / "model.toml").write_text(GOOD, encoding="utf-8-sig")
    assert load_spec(folder).name == "small"


def test_a_right_digest_passes_and_a_wrong_one_does_not(folder: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    _change(folder, ("[ncnn]", f'[sha256]\n"small.bin" = "{digest}"\n\n[ncnn]'))
    load_spec(folder)
    (folder / "small.bin").write_bytes(b"Weights")
    with pytest.raises(ModelInvalid, match=r"small\.bin is damaged or another file") as caught:
        load_spec(folder)
    assert digest in caught.value.message


def test_a_missing_file_is_named_with_those_that_are_there(folder: Path) -> None:
    (folder / "small.bin").unlink()
    with pytest.raises(ModelNotFound, match=r"small.bin.*there: model.toml, small.param"):
        load_spec(folder)


def test_a_folder_in_a_files_place_is_said_to_be_one(folder: Path) -> None:
    (folder / "small.bin").unlink()
    (folder / "small.bin").mkdir()
    with pytest.raises(ModelNotFound, match=r"small.bin, which is a folder"):
        load_spec(folder)


def test_a_missing_folder_a_file_and_an_empty_folder_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for name, what in [("nowhere", "does not exist"), ("file", "is a file"), ("empty", "holds no model")]:
        with pytest.raises(ModelNotFound, match=what):
            load_spec(tmp_path / name)


def test_a_folder_that_cannot_be_looked_at_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="File name too long"):
        load_spec(tmp_path / ("x" * 300))


def test_weights_without_a_description_are_told_what_is_missing(folder: Path) -> None:
    (folder / "model.toml").unlink()
    with pytest.raises(ModelInvalid, match=r"no model\.toml.*input size.*labels") as caught:
        load_spec(folder)
    assert "docs/models.md" in caught.value.hint


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "yolo26n_ncnn_model"
    folder.mkdir()
    (folder / "model.ncnn.param").write_text("graph")
    (folder / "model.ncnn.bin").write_bytes(b"weights")
    (folder / "metadata.yaml").write_text(ULTRALYTICS_METADATA)
    return folder


def test_an_ultralytics_export_needs_no_model_toml(export: Path) -> None:
    spec = load_spec(export)
    assert (spec.name, spec.labels, spec.input_shape) == ("yolo26n", COCO80, (3, 320, 320))
    assert spec.head.family is Family.ULTRALYTICS
    assert spec.head.strides == (8, 16, 32)
    assert spec.input.resize is Resize.LETTERBOX
    assert spec.licence == "AGPL-3.0 License (https://ultralytics.com/license)"
    assert spec.files("ncnn").files["bin"] == export / "model.ncnn.bin"


def test_an_export_is_named_by_its_folder_however_that_is_written(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(export)
    assert load_spec(Path()).name == load_spec(export).name == "yolo26n"


def test_a_model_toml_comes_before_metadata_yaml(folder: Path) -> None:
    (folder / "metadata.yaml").write_text(ULTRALYTICS_METADATA)
    assert load_spec(folder).name == "small"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("0: person", "0: 'it''s: a #1'", "it's: a #1"),
        ("0: person", '0: "caf\\u00e9 \\"x\\""', 'café "x"'),
        ("0: person", "0: café", "café"),
        ("0: person", "0: 'yes'", "yes"),
    ],
)
def test_class_names_are_read_in_the_quotes_that_yaml_uses(export: Path, old: str, new: str, expected: str) -> None:
    (export / "metadata.yaml").write_text(ULTRALYTICS_METADATA.replace(old, new, 1))
    assert load_spec(export).labels[0] == expected


def test_the_image_size_may_stand_on_one_line(export: Path) -> None:
    text = ULTRALYTICS_METADATA.replace("imgsz:\n- 320\n- 320", "imgsz: [256, 640]")
    (export / "metadata.yaml").write_text(text)
    assert load_spec(export).input_shape == (3, 256, 640)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("task: detect", "task: segment", "task is 'segment'"),
        ("task: detect", "", "task"),
        ("imgsz:\n- 320\n- 320", "imgsz: 320", "imgsz with two numbers"),
        ("1: bicycle", "2: bicycle", "expected '1: NAME'"),
        ("1: bicycle", "1: &anchor bicycle", "cannot read"),
        ("1: bicycle", "1: |", "cannot read"),
        ("1: bicycle", "1: 'bicycle", "cannot read"),
        ("1: bicycle", '1: "\\e"', "cannot read"),
        ("1: bicycle", "1: bi\n     cycle", "expected '2: NAME'"),
        ("names:", "labels:", "expected names"),
        ("stride: 32", "stride: 33", "stride"),
    ],
)
def test_metadata_that_the_reader_is_not_sure_of_is_refused(export: Path, old: str, new: str, message: str) -> None:
    assert old in ULTRALYTICS_METADATA
    (export / "metadata.yaml").write_text(ULTRALYTICS_METADATA.replace(old, new, 1))
    with pytest.raises(ModelError, match=r"metadata\.yaml") as caught:
        load_spec(export)
    assert message in caught.value.message


def test_the_example_in_the_documentation_is_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "models.md").read_text()
    example = text.split("```toml\n")[1].split("```")[0].split("[sha256]")[0]
    (tmp_path / "model.toml").write_text(example)
    for name in ("picodet_s_416.param", "picodet_s_416.bin"):
        (tmp_path / name).touch()
    assert load_spec(tmp_path).head.strides == (8, 16, 32, 64)


@pytest.mark.parametrize("kind", [Family, Resize, Colour])
def test_the_documentation_names_every_choice(kind: type[Family] | type[Resize] | type[Colour]) -> None:
    text = (Path(__file__).parents[3] / "docs" / "models.md").read_text()
    assert [option.value for option in kind if f'`"{option.value}"`' not in text] == []


def test_a_format_may_have_a_head_and_a_unit_of_boxes_of_its_own(tmp_path: Path, shared_dir: Path) -> None:
    spec = load_spec(models.yolo26n_twins_folder(tmp_path, shared_dir))
    heads = {name: spec.in_format(name).head for name in spec.formats}
    assert {name: (head.family.value, head.boxes.value) for name, head in heads.items()} == {
        "ncnn": ("ultralytics", "pixels"),
        "onnx": ("end2end", "pixels"),
        "litert": ("end2end", "fractions"),
    }


def test_a_table_of_a_plug_in_names_files_by_its_own_keys(folder: Path) -> None:
    text = (folder / "model.toml").read_text()
    plug_in = '\n[plugin.hailo]\nmodel = "yard.hef"\ninput = "a"\noutputs = ["b"]\nfamily = "end2end"\n'
    (folder / "model.toml").write_text(text + plug_in)
    (folder / "yard.hef").touch()
    spec = load_spec(folder)
    assert spec.files("hailo").files == {"model": folder / "yard.hef"}
    assert spec.in_format("hailo").head.family.value == "end2end"
