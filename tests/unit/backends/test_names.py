from __future__ import annotations

from pathlib import Path

import pytest

from edged.backends.names import check_names
from edged.errors import ModelInvalid

PATH = Path("yard.onnx")


def check(*, inputs: list[str], output: str = "boxes", known: list[str] | None = None) -> None:
    check_names(
        PATH, inputs=inputs, outputs=["boxes", "scores"], input_name="images", output_names=[output], known=known
    )


def test_a_model_with_the_input_and_the_outputs_of_its_toml_is_taken() -> None:
    check(inputs=["images"])


def test_a_single_input_by_another_name_is_told_what_to_write() -> None:
    with pytest.raises(ModelInvalid, match=r"has the input in0; model\.toml says images") as caught:
        check(inputs=["in0"])
    assert 'input = "in0"' in caught.value.hint


@pytest.mark.parametrize("inputs", [[], ["images", "sizes"]])
def test_a_model_that_takes_no_picture_or_more_than_one_is_refused(inputs: list[str]) -> None:
    with pytest.raises(ModelInvalid, match=r"has the input (nothing|images, sizes);") as caught:
        check(inputs=inputs)
    assert "one input" in caught.value.hint


def test_an_output_that_the_model_has_not_is_told_with_those_that_it_has() -> None:
    with pytest.raises(ModelInvalid, match="no output masks; its outputs are boxes, scores"):
        check(inputs=["images"], output="masks")


def test_any_tensor_counts_as_an_output_where_the_engine_gives_it_out() -> None:
    check(inputs=["images"], output="features", known=["features", "boxes", "scores"])
