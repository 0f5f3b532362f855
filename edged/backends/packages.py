"""Whether a Python package is installed, found out without importing it: that would cost every start a while."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from edged.domain.engines import Absent, Presence, Present


def python_package(module: str, *, install: str, distribution: str | None = None) -> Presence:
    """Look for the top-level `module`; `install` says what to do when it is missing.

    `distribution` is the name that it is installed by where it is another than the module's.
    """
    if find_spec(module) is None:
        return Absent(f"the package {module} is not installed", install)
    try:
        return Present(f"{distribution or module} {version(distribution or module)}")
    except PackageNotFoundError:  # a copy without metadata, as JetPack's TensorRT may be
        return Present(module)
