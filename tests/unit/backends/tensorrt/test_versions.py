"""Which version of TensorRT can do what."""

import pytest

from edged.backends.tensorrt.versions import features_of
from edged.errors import BackendError


@pytest.mark.parametrize(
    ("version", "explicit_batch", "strongly_typed", "precision_flags", "monitor"),
    [
        ("8.5.2.2", True, False, True, False),
        ("8.6.1", True, False, True, False),
        ("10.0.1", False, True, True, True),
        ("10.16.1", False, True, True, True),
        ("11.4.1", False, False, False, True),
    ],
)
def test_each_version_is_known_for_what_it_has(
    version: str, explicit_batch: bool, strongly_typed: bool, precision_flags: bool, monitor: bool
) -> None:
    features = features_of(version)
    assert features.version == version
    assert features.explicit_batch_flag is explicit_batch
    assert features.strongly_typed_flag is strongly_typed
    assert features.precision_flags is precision_flags
    assert features.progress_monitor is monitor


@pytest.mark.parametrize("version", ["8.4.1.5", "7.1.3", "8.0"])
def test_a_version_without_tensors_by_name_is_refused_with_what_to_install(version: str) -> None:
    with pytest.raises(BackendError, match=r"too old: edged needs 8\.5[^$]*JetPack"):
        features_of(version)


def test_a_version_that_nobody_has_seen_is_refused() -> None:
    with pytest.raises(BackendError, match="newer"):
        features_of("12.0.0")


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(BackendError, match="no version"):
        features_of("unknown")
