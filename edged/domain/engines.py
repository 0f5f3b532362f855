"""The words of choosing an inference engine: what a model offers, what an engine says of itself, what was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What an engine needs to load a model: one table of its model.toml."""

    model: str  # the model's name, for messages
    format: str  # the name of the table: ncnn, onnx, litert, tensorrt, or that of a plug-in
    files: Mapping[str, Path]  # by their keys in the table: param, bin
    input_name: str
    output_names: tuple[str, ...]  # in the order that the head expects
    input_shape: tuple[int, int, int]  # of the blob: (3, height, width)


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a model is to be loaded. An engine takes of it what it knows."""

    threads: int = 1  # of one inference on the processor
    precision: str = "auto"  # in which numbers to compute, where the engine has a choice: auto, fp32, fp16, int8
    dla_core: int | None = None  # which of a Jetson's DLA cores to use instead of the GPU
    cache_dir: Path | None = None  # where an engine may keep what it made of a model; None: nowhere
    progress: Callable[[str], None] = lambda text: None  # told what goes on when loading takes more than seconds


@dataclass(frozen=True, slots=True)
class Present:
    """An engine can run here."""

    detail: str  # version and device, for people: "ncnn 1.0.20261020"
    accelerated: bool = False  # whether it runs on more than the processor
    notes: tuple[str, ...] = ()  # what it could do elsewhere, a line each: "CUDA: no NVIDIA GPU is there"


@dataclass(frozen=True, slots=True)
class Absent:
    """An engine cannot run here."""

    reason: str  # without a full stop: "the package onnxruntime is not installed"
    hint: str  # what to do: "pip install onnxruntime"


Presence: TypeAlias = Present | Absent


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out about one engine for one model."""

    engine: str
    presence: Presence
    format: str | None  # the files that it takes of the model; None when the model has none for it

    @property
    def usable(self) -> bool:
        """Whether the engine could run the model here."""
        return isinstance(self.presence, Present) and self.format is not None
