"""What the versions of TensorRT from 8.5 to 11 can do, as far as edged cares.

All of them know tensors by name (`set_tensor_address`, `execute_async_v3`), so the older bindings by number, which 10
removed, are not needed at all.

Source: NVIDIA's migration guides from 8 to 10 and from 10 to 11, and the release notes of 10.7 and 11.4.1 for DLA.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edged.errors import BackendError

OLDEST = (8, 5)
NEWEST_MAJOR = 11


@dataclass(frozen=True, slots=True)
class Features:
    """What one version offers."""

    version: str  # as TensorRT writes it: 10.3.0
    explicit_batch_flag: bool  # a network must be asked for with EXPLICIT_BATCH
    strongly_typed_flag: bool  # a network can be asked to keep to the types of its tensors
    precision_flags: bool  # BuilderFlag.FP16 and INT8, and calibration; without them types alone decide
    progress_monitor: bool  # the builder tells how far it is


def features_of(version: str) -> Features:
    """Look a version up. Raises BackendError for one that edged does not know."""
    match = re.match(r"(\d+)\.(\d+)", version)
    if match is None:
        raise BackendError(f"TensorRT calls itself {version!r}: that is no version.", hint="Install TensorRT anew.")
    major, minor = int(match[1]), int(match[2])
    if (major, minor) < OLDEST:
        raise BackendError(
            f"TensorRT {version} is too old: edged needs 8.5 or newer, because older ones do not know tensors by name.",
            hint="On a Jetson, install JetPack 5.1 or newer; or set model.backend to another engine.",
        )
    if major > NEWEST_MAJOR:
        raise BackendError(
            f"TensorRT {version} is newer than what edged was written for (up to {NEWEST_MAJOR}).",
            hint="Update edged, or install TensorRT 11; or set model.backend to another engine.",
        )
    return Features(
        version=version,
        explicit_batch_flag=major < 10,
        strongly_typed_flag=major == 10,  # from 11 on there is nothing else
        precision_flags=major < 11,
        progress_monitor=major >= 10,
    )
