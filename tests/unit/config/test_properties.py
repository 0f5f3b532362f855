from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edged.config.effective import effective
from edged.config.loader import check_tables, load_config, parse_config
from edged.config.schema import Config
from edged.config.toml_text import toml_value
from edged.errors import ConfigError
from tests.unit.config.strategies import configs, nonsense

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@given(configs())
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
def test_the_effective_configuration_loads_again_to_an_equal_one(config: Config) -> None:
    assert parse_config(effective(config), name="effective", folder=Path("/elsewhere")) == config


@given(nonsense())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_nonsense_in_the_tables_is_a_config_error_and_nothing_else(tables: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        check_tables(tables, name="edged.toml", folder=Path("/etc/edged"))


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_in_the_file_are_a_config_error_and_nothing_else(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "edged.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigError):
        load_config(file)


@given(
    st.one_of(
        st.text(),
        st.floats(allow_nan=False),
        st.booleans(),
        st.lists(st.text()),
        st.dictionaries(st.text(), st.text()),
        st.integers(-(10**18), 10**18),
    )
)
def test_a_value_written_as_toml_is_read_back_equal(value: Any) -> None:
    assert tomllib.loads(f"value = {toml_value(value)}")["value"] == value
