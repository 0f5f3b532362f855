from __future__ import annotations

import pytest

from edged.config.loader import parse_config
from edged.config.reference import reference
from edged.errors import ConfigError
from tests.docs.documents import ROOT, fenced

DOCUMENT = ROOT / "docs" / "configuration.md"


def test_the_tables_are_those_that_the_schema_makes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8").endswith(reference()), "run: python -m edged.config"


def test_the_file_with_mistakes_gets_the_answer_that_is_shown() -> None:
    (file,) = fenced(DOCUMENT, "toml")
    (answer,) = fenced(DOCUMENT, "")
    with pytest.raises(ConfigError) as caught:
        parse_config(file, name="bad.toml", folder=ROOT)
    assert f"{caught.value}\n" == answer
