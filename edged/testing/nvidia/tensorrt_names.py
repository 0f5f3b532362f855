"""Which names which version of TensorRT has."""

from __future__ import annotations

from collections.abc import Mapping

VERSIONS: Mapping[str, tuple[int, int]] = {
    "NetworkDefinitionCreationFlag.EXPLICIT_BATCH": (8, 10),
    "NetworkDefinitionCreationFlag.STRONGLY_TYPED": (10, 11),
    "BuilderFlag.FP16": (8, 10),
    "BuilderFlag.INT8": (8, 10),
    "DataType.INT64": (10, 11),
    "IProgressMonitor": (10, 11),
    "IBuilderConfig.progress_monitor": (10, 11),
    "IInt8EntropyCalibrator2": (8, 10),
    "IBuilderConfig.int8_calibrator": (8, 10),
    "IBuilderConfig.set_calibration_profile": (8, 10),
}
"""First and last major version that has a name; names that are not listed are in all.

Source: the Python API reference of each version; NVIDIA's lists of added and removed names in 10 and in 11.
"""


def is_in(name: str, major: int) -> bool:
    """Does a major version have a name?"""
    first, last = VERSIONS.get(name, (8, 11))
    return first <= major <= last


ENUMS: Mapping[str, Mapping[str, int]] = {
    "NetworkDefinitionCreationFlag": {"EXPLICIT_BATCH": 0, "STRONGLY_TYPED": 1},
    "BuilderFlag": {"FP16": 0, "INT8": 1, "GPU_FALLBACK": 3, "TF32": 6},
    "MemoryPoolType": {"WORKSPACE": 0},
    "DeviceType": {"GPU": 0, "DLA": 1},
    "TensorIOMode": {"NONE": 0, "INPUT": 1, "OUTPUT": 2},
    "DataType": {"FLOAT": 0, "HALF": 1, "INT8": 2, "INT32": 3, "BOOL": 4, "UINT8": 5, "INT64": 8},
}

RENUMBERED: Mapping[tuple[str, int], Mapping[str, int]] = {
    ("NetworkDefinitionCreationFlag", 11): {"STRONGLY_TYPED": 0},
}
"""Members that have another number in one major version."""
