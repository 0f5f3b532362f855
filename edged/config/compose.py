"""Writes a configuration file from a few answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edged.config.toml_text import toml_value

_HEAD = """\
# edged's configuration, written by `edged setup`. After a change: edged check-config FILE, then
# sudo systemctl reload edged. `edged check-config --example` shows more, docs/configuration.md every option.
"""


def compose(
    *,
    data_dir: Path,
    runtime_dir: Path | None,
    model: str,
    threads: int,
    labels: Sequence[str],
    camera_tables: Sequence[str],
) -> str:
    """Write the file's text. `camera_tables` are [[camera]] tables as TOML; no `labels` means all of the model's."""
    top = [f"data_dir = {toml_value(data_dir)}"]
    if runtime_dir is not None:
        top.append(f"runtime_dir = {toml_value(runtime_dir)}")
    parts = [
        _HEAD + "\n".join(top),
        f"[model]\npath = {toml_value(model)}\nthreads = {threads}",
        f"[presence]\nlabels = {toml_value(list(labels))}   # what makes events; [] for all that the model knows",
        *camera_tables,
    ]
    return "\n\n".join(parts) + "\n"
