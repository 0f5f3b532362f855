"""Holds the names of tensors in model.toml to those in a model's file, with the same words for every engine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from edged.errors import ModelInvalid


def check_names(
    path: Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    input_name: str,
    output_names: Sequence[str],
    known: Collection[str] | None = None,
) -> None:
    """See that the model's only input is `input_name`, and that it has all of `output_names`. Raises ModelInvalid.

    `inputs` and `outputs` are those in the file at `path`; `known` are the tensors that may be asked for where an
    engine gives out more than the outputs.
    """
    if list(inputs) != [input_name]:
        raise ModelInvalid(
            f"{path} has the input {', '.join(inputs) or 'nothing'}; model.toml says {input_name}.",
            hint=f'Write input = "{inputs[0]}" in its table of model.toml.'
            if len(inputs) == 1
            else "edged gives a model one picture: export it with one input.",
        )
    missing = [name for name in output_names if name not in (outputs if known is None else known)]
    if missing:
        raise ModelInvalid(
            f"{path} has no output {', '.join(missing)}; its outputs are {', '.join(outputs)}.",
            hint="Correct outputs in its table of model.toml, in the order that the head wants.",
        )
