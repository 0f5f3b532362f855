"""Hypothesis strategies: any valid configuration, and any nonsense."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from edged.config.schema import Config

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
_PATH = _TEXT.map(lambda text: "/srv/" + text)
_FRACTION = st.floats(0, 1, exclude_min=True)


def _table(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any subset of the options."""
    return st.fixed_dictionaries({}, optional=options)


_MODE = _table(
    format=st.sampled_from(["MJPG", "YUYV", "NV12"]),
    width_px=st.integers(16, 16384),
    height_px=st.integers(16, 16384),
    fps=st.floats(0.1, 1000),
    controls=st.dictionaries(_TEXT, st.one_of(st.booleans(), st.integers(-(10**9), 10**9), _TEXT), max_size=3),
)

_PLAYING = _table(
    play=st.sampled_from(["as_fast_as_possible", "in_real_time"]),
    image_interval_s=st.floats(0.001, 86400),
)

_CAMERA = st.builds(
    lambda must, may, mode, playing: {**must, **may, **(mode if must["source"].startswith("/dev/") else playing)},
    st.fixed_dictionaries(
        {
            "name": st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True),
            "source": st.one_of(_PATH, st.integers(0, 9).map("/dev/video{}".format)),
        }
    ),
    _table(
        frame_timeout_s=st.floats(0.1, 600),
        every=st.integers(1, 1000),
        labels=st.lists(_TEXT),
    ),
    _MODE,
    _PLAYING,
)

_TABLES = _table(
    data_dir=_PATH,
    runtime_dir=_PATH,
    model=_table(path=st.one_of(_TEXT, _PATH), threads=st.integers(1, 64), confidence=_FRACTION, nms_iou=_FRACTION),
    tracker=_table(
        high_confidence=_FRACTION,
        low_confidence=_FRACTION,
        new_track_confidence=_FRACTION,
        match_cost_max=_FRACTION,
        lost_after_s=st.floats(0, 600, exclude_min=True),
        class_aware=st.booleans(),
    ),
    scheduler=_table(every=st.integers(1, 1000)),
    presence=_table(seen_for_s=st.floats(0, 3600), rejoin_within_s=st.floats(0, 3600), labels=st.lists(_TEXT)),
    store=_table(retention_days=st.floats(0, 36500, exclude_min=True), snapshots=st.booleans()),
    log=_table(level=st.sampled_from(["debug", "info", "warning", "error"])),
)


def _valid(tables: dict[str, Any], cameras: list[dict[str, Any]]) -> Config | None:
    try:
        return Config.model_validate({**tables, "camera": cameras}, context={"folder": Path("/srv")})
    except ValidationError:  # two options that contradict each other
        return None


def configs() -> st.SearchStrategy[Config]:
    """Any valid Config whose paths are absolute, as the loader makes them."""
    cameras = st.lists(_CAMERA, min_size=1, max_size=3, unique_by=lambda camera: str(camera["name"]))
    found = st.builds(_valid, _TABLES, cameras).filter(lambda config: config is not None)
    return found.map(lambda config: config or Config.model_construct())


_SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.just(datetime.timezone.utc)),
)
_KEYS = st.one_of(
    st.sampled_from(
        ["camera", "model", "tracker", "presence", "labels", "name", "source", "threads", "low_confidence", "data_dir"]
    ),
    st.text(max_size=8),
)


def nonsense() -> st.SearchStrategy[dict[str, Any]]:
    """Tables as a TOML parser could give them, with real names now and then and hardly ever a sense."""
    values = st.recursive(
        _SCALAR,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
        max_leaves=12,
    )
    return st.dictionaries(_KEYS, values, max_size=5)
