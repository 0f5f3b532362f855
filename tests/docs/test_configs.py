from __future__ import annotations

from pathlib import Path

import pytest

from edged.config.loader import load_config
from edged.config.starter import default_config_text
from tests.docs.documents import ROOT

CONFIGS = sorted((ROOT / "configs").glob("*.toml"))


def test_there_are_configurations_to_start_from() -> None:
    assert {"edged.toml", "several-cameras.toml", "recording.toml"} <= {file.name for file in CONFIGS}


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_every_configuration_to_start_from_loads(file: Path) -> None:
    assert load_config(file).camera


def test_the_configuration_in_the_package_is_the_one_in_configs() -> None:
    assert (ROOT / "configs" / "edged.toml").read_text(encoding="utf-8") == default_config_text()
