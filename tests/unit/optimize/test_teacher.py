from pathlib import Path

import pytest

from edged.errors import ModelInvalid, ModelNotFound
from edged.optimize.teacher import Teacher, import_teacher, mended


def test_upsamplings_are_done_and_the_number_of_cells_is_left_open() -> None:
    param = (
        "Resize                   Resize_353               1 1 281 284\n"
        "Reshape                  reshape_247              1 1 17 18 0=1 1=1 2=-1\n"
        "Reshape                  reshape_260              1 1 386 387 0=1600 1=80\n"
        "Reshape                  reshape_261              1 1 385 389 0=1600 1=32\n"
    )
    lines = mended(param).splitlines()
    assert lines[0].split() == ["Interp", "Resize_353", "1", "1", "281", "284", "0=1", "1=2.0", "2=2.0"]
    assert lines[1].endswith("0=1 1=1 2=-1")
    assert lines[2].endswith(" 0=-1 1=80")
    assert lines[3].endswith(" 0=-1 1=32")


def test_a_convolution_of_a_pooled_vector_is_an_inner_product() -> None:
    param = (
        "Pooling                  gap_0                    1 1 13 14 0=1 4=1\n"
        "Convolution              convrelu_0               1 1 14 15 0=11 1=1 11=1 3=1 4=0 5=1 6=484 9=1\n"
        "Convolution              conv_145                 1 1 15 16 0=44 1=1 11=1 3=1 4=0 5=1 6=484\n"
        "Convolution              conv_147                 1 1 99 18 0=8 1=1 11=1 5=1 6=64\n"
    )
    lines = [line.split() for line in mended(param).splitlines()]
    assert lines[1] == ["InnerProduct", "convrelu_0", "1", "1", "14", "15", "0=11", "1=1", "2=484", "9=1"]
    assert lines[2] == ["InnerProduct", "conv_145", "1", "1", "15", "16", "0=44", "1=1", "2=484"]
    assert lines[3][0] == "Convolution", "what it convolves is a picture"


def test_another_file_than_the_published_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(b"something else")
    with pytest.raises(ModelInvalid, match="SHA-256"):
        import_teacher(tmp_path / "other.onnx", tmp_path)


def test_a_folder_without_a_teacher_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"picodet_s_320\.param"):
        Teacher(tmp_path)
