"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

# A busy machine is no reason to fail.
hypothesis.settings.register_profile("edged", deadline=None)
hypothesis.settings.load_profile("edged")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder with real models, videos and ground truth, which is no part of the project."""
    folder = Path(os.environ.get("EDGED_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set EDGED_SHARED to the folder that holds models/, videos/, tracking/")
    return folder
