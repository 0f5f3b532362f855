from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from edged.config.describe import section_of, takes, unit
from edged.config.effective import changes, effective
from edged.config.loader import parse_config
from edged.config.schema import Config
from edged.config.starter import default_config_text


def parse(text: str) -> Config:
    return parse_config(text, name="edged.toml", folder=Path("/etc/edged"))


CAMERA = '[[camera]]\nname = "yard"\nsource = "/dev/video0"\n'


def sections(section: type[BaseModel] = Config) -> list[type[BaseModel]]:
    inner = [found for field in section.model_fields.values() if (found := section_of(field)) is not None]
    return [section, *inner]


def test_the_effective_configuration_marks_only_what_was_changed() -> None:
    text = effective(parse("[scheduler]\nevery = 3\n" + CAMERA))
    changed = [line for line in text.splitlines() if "# changed" in line]
    assert changed == ["every = 3  # changed; default: 1"]


def test_an_option_that_is_not_set_stands_there_as_a_comment() -> None:
    assert "\n# runtime_dir =\n" in effective(parse(CAMERA))


def test_changes_name_option_value_and_default() -> None:
    config = parse('data_dir = "/srv"\n[presence]\nlabels = ["dog"]\n' + CAMERA)
    assert changes(config) == [
        'data_dir = "/srv" (default: "/var/lib/edged")',
        'presence.labels = ["dog"] (default: [])',
    ]


def test_a_value_written_as_the_default_is_no_change() -> None:
    assert changes(parse("[scheduler]\nevery = 1\n" + CAMERA)) == []


def test_the_starter_file_loads() -> None:
    assert parse(default_config_text()).camera[0].source == "/dev/video0"


@pytest.mark.parametrize("section", sections(), ids=lambda section: str(section.__name__))
def test_every_option_has_a_sentence_a_unit_and_words_for_what_it_takes(section: type[BaseModel]) -> None:
    for key, field in section.model_fields.items():
        assert field.description, key
        assert field.description.endswith("."), key
        assert unit(field), key
        assert takes(field), key
        assert field.default is not None or "Not set:" in field.description, f"{key}: what holds when it is not set?"
