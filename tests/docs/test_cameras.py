from __future__ import annotations

import pytest

from edged.config.loader import parse_config
from tests.docs.documents import ROOT, fenced


@pytest.mark.parametrize("text", fenced(ROOT / "docs" / "cameras.md", "toml"))
def test_every_table_in_the_chapter_on_cameras_can_be_configured(text: str) -> None:
    assert parse_config(text, name="cameras.md", folder=ROOT).camera
