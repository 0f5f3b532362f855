"""What `edged doctor` leaves behind: root runs it, and the daemon is another user."""

from __future__ import annotations

from pathlib import Path

import pytest

from edged.app.doctor import examine


@pytest.mark.parametrize("data", ["not there", "there"])
def test_no_folder_is_made_that_the_daemon_could_not_write_to(tmp_path: Path, data: str) -> None:
    config, folder = tmp_path / "edged.toml", tmp_path / "data"
    config.write_text(
        'data_dir = "data"\n[model]\nbackend = "onnxruntime"\n[[camera]]\nname = "yard"\nsource = "yard.mp4"\n'
    )
    if data == "there":
        folder.mkdir()
    findings = {each.what: each for each in examine(config, root=tmp_path, ask=lambda words: None)}
    assert "sound answers" in findings["model"].text
    assert folder.exists() == (data == "there")
    assert not (folder / "cache").exists()
