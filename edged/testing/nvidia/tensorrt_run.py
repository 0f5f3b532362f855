"""The half of the make-believe TensorRT that runs engines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from edged.testing.nvidia.gpu import CudaMisuse
from edged.testing.nvidia.tensorrt_base import MAGIC, FakeModel, TrtObject, setting


class Runtime(TrtObject):
    DLA_core = setting("DLA_core")

    def __init__(self, logger: Any) -> None:
        self._world.use_logger(logger)
        self._world.gpu.demand_context("Runtime")
        self._world.gpu.users.add(self)

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> Any:
        world = self._world
        world.gpu.demand_context("deserialize_cuda_engine")
        content = bytes(serialized_engine)
        try:
            assert content[:4] == MAGIC
            header = json.loads(content[4:])
        except (AssertionError, ValueError):
            self.say("ERROR", "Serialization assertion magicTagRead == kMAGIC_TAG failed. Magic tag does not match")
            return None
        if header["tensorrt"] != world.version:
            self.say("ERROR", "Serialization assertion stdVersionRead failed. Version tag does not match")
            return None
        if header["gpu"] != world.gpu.name:
            self.say("ERROR", "The engine plan file is generated on an incompatible device")
            return None
        if header["mark"] != world.engine_mark:
            self.say("ERROR", "The engine was built with another driver")
            return None
        if header["dla"] != self.DLA_core:
            self.say("ERROR", "The engine was built for another DLA core")
            return None
        if world.gpu.memory_bytes < world.engine_needs_bytes:
            self.say("ERROR", "Cuda failure: out of memory")
            return None
        return world.trt.ICudaEngine(world.models[header["model"]], header["shape"])


class ICudaEngine(TrtObject):
    def __init__(self, model: FakeModel, shape: Sequence[int] | None) -> None:
        self._model = model
        self._profile_shape = tuple(shape) if shape else None
        self._world.gpu.users.add(self)

    @property
    def num_io_tensors(self) -> int:
        return len(self._model.inputs) + len(self._model.outputs)

    def get_tensor_name(self, index: int) -> str:
        return [*self._model.inputs, *self._model.outputs][index]

    def get_tensor_mode(self, name: str) -> Any:
        mode = self._world.trt.TensorIOMode
        return mode.INPUT if name in self._model.inputs else mode.OUTPUT if name in self._model.outputs else mode.NONE

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        (shape,) = self._model.inputs.values()
        return shape if name in self._model.inputs else self._model.outputs[name](shape)

    def get_tensor_dtype(self, name: str) -> Any:
        return self._world.trt.DataType[self._model.dtype]

    def create_execution_context(self) -> Any:
        self._world.gpu.demand_context("create_execution_context")
        if self._world.gpu.memory_bytes < self._world.context_needs_bytes:
            self.say("ERROR", "Error Code 2: OutOfMemory (Requested size was 123 bytes.)")
            return None
        return self._world.trt.IExecutionContext(self)


class IExecutionContext(TrtObject):
    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._addresses: dict[str, int] = {}
        self._shape: tuple[int, ...] = next(iter(engine._model.inputs.values()))
        self._world.gpu.users.add(self)

    def set_input_shape(self, name: str, shape: Sequence[int]) -> bool:
        if name not in self._engine._model.inputs or tuple(shape) != self._engine._profile_shape:
            self.say("ERROR", f"{tuple(shape)} is not in the optimization profile")
            return False
        self._shape = tuple(shape)
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        model: FakeModel = self._engine._model
        return self._shape if name in model.inputs else model.outputs[name](self._shape)

    def set_tensor_address(self, name: str, memory: int) -> bool:
        if self._engine.get_tensor_mode(name) == self._world.trt.TensorIOMode.NONE:
            self.say("ERROR", f"there is no tensor {name}")
            return False
        self._addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        gpu, model = self._world.gpu, self._engine._model
        names = [*model.inputs, *model.outputs]
        if -1 in self._shape:
            raise CudaMisuse("execute_async_v3 before set_input_shape of an open shape")
        missing = [name for name in names if name not in self._addresses]
        if missing:
            raise CudaMisuse(f"execute_async_v3 before set_tensor_address of {', '.join(missing)}")
        gpu.executions += 1
        if gpu.executions in gpu.fails_at:
            self.say("ERROR", "Error Code 1: Cuda Runtime (an illegal memory access was encountered)")
            return False
        kind = np.dtype({"FLOAT": np.float32, "HALF": np.float16}[model.dtype])
        addresses, shape = dict(self._addresses), self._shape

        def work() -> None:
            (name,) = model.inputs
            size = int(np.prod(shape)) * kind.itemsize
            blob = gpu.memory_at(addresses[name], size).view(kind).reshape(shape)[0].astype(np.float32)
            for output, array in zip(model.outputs, model.compute(blob), strict=True):
                content = np.ascontiguousarray(array, dtype=kind).reshape(-1).view(np.uint8)
                np.copyto(gpu.memory_at(addresses[output], content.nbytes), content)

        gpu.enqueue(stream_handle, "execute", work)
        return True
