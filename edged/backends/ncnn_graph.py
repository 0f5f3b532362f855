"""Reads a .param file: the graph of an ncnn model.

Source: ncnn's wiki, "param and model file structure".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edged.errors import ModelInvalid, ModelNotFound

MAGIC = "7767517"

HINT = "Copy or export the model anew; .param and .bin must come from one export."


@dataclass(frozen=True, slots=True)
class Layer:
    """One line of a .param file."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: dict[int, str]  # by their numbers

    def option(self, number: int, default: int) -> int:
        """Read an option that is a whole number."""
        return int(self.options.get(number, default))


@dataclass(frozen=True, slots=True)
class Graph:
    """A .param file."""

    layers: tuple[Layer, ...]

    def blobs(self) -> set[str]:
        """Every name that a tensor has."""
        return {blob for layer in self.layers for blob in layer.outputs}

    def inputs(self) -> list[str]:
        """Tensors that must be given."""
        return [blob for layer in self.layers if layer.kind == "Input" for blob in layer.outputs]

    def consumers(self, blob: str) -> list[str]:
        """The kinds of the layers that take a tensor."""
        return [layer.kind for layer in self.layers if blob in layer.inputs]

    def outputs(self) -> list[str]:
        """Tensors that no layer takes."""
        taken = {blob for layer in self.layers for blob in layer.inputs}
        return [blob for layer in self.layers for blob in layer.outputs if blob not in taken]


def read_graph(path: Path) -> Graph:
    """Read a .param file (text). Raises ModelNotFound or ModelInvalid."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as problem:
        raise ModelInvalid(
            f"{path} is not a text file, as ncnn's .param is.", hint="Perhaps param and bin are swapped in model.toml."
        ) from problem
    except OSError as problem:
        raise ModelNotFound(f"{path} cannot be read: {problem.strerror}.", hint="Copy the file there.") from problem
    lines = text.splitlines()
    if not lines or lines[0].strip() != MAGIC:
        first = lines[0][:40] if lines else ""
        raise ModelInvalid(f"{path} begins with {first!r}; a .param of ncnn begins with {MAGIC}.", hint=HINT)
    layers = tuple(_read_layer(path, number, line) for number, line in enumerate(lines[2:], 3) if line.strip())
    _check_counts(path, lines[1] if len(lines) > 1 else "", layers)
    return Graph(layers)


def _read_layer(path: Path, number: int, line: str) -> Layer:
    """Kind, name, number of inputs, number of outputs, inputs, outputs, options as N=value."""
    fields = line.split()
    try:
        kind, name, inputs, outputs = fields[0], fields[1], int(fields[2]), int(fields[3])
        pairs = [field.split("=", 1) for field in fields[4 + inputs + outputs :]]
        options = {int(key): value for key, value in pairs}
    except (IndexError, ValueError) as problem:
        raise ModelInvalid(f"{path}, line {number}: {line.strip()[:80]!r} is no layer.", hint=HINT) from problem
    blobs = tuple(fields[4 : 4 + inputs + outputs])
    if len(blobs) != inputs + outputs or inputs < 0 or outputs < 0 or any("=" in blob for blob in blobs):
        raise ModelInvalid(f"{path}, line {number}: layer {name} names too few tensors.", hint=HINT)
    return Layer(kind, name, blobs[:inputs], blobs[inputs:], options)


def _check_counts(path: Path, line: str, layers: Sequence[Layer]) -> None:
    """Compare the numbers of layers and tensors with those in the second line."""
    found = f"{len(layers)} {sum(len(layer.outputs) for layer in layers)}"
    if line.split() != found.split():
        raise ModelInvalid(
            f"{path} promises {line.strip() or 'no'} layers and tensors, but holds {found}: it is cut off or edited.",
            hint=HINT,
        )
