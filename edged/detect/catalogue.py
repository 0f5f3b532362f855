"""Which models a configuration can name: those that came with edged, and folders."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from edged.errors import ModelNotFound

_SHIPPED = Path(__file__).parents[1] / "models"


def find_model(name: str) -> Path:
    """Return the folder of a model by its name, or by its path when there is a slash in it.

    Raises ModelNotFound.
    """
    if "/" in name or name in (".", ".."):
        return Path(name)
    shipped = shipped_models()
    if name in shipped:
        return shipped[name]
    with suppress(OSError):  # no name that a folder can have
        if Path(name).is_dir():
            return Path(name)
    known = ", ".join(shipped) or "none"
    raise ModelNotFound(
        f"There is no model {name!r} (known by name: {known}).",
        hint="Name a model folder, with a slash in its path: ./picodet-s. docs/models.md says what lies in one.",
    )


def shipped_models() -> dict[str, Path]:
    """The models that came with edged, by name; `builtin` is the one to start with."""
    if not _SHIPPED.is_dir():
        return {}
    return {folder.name: folder for folder in sorted(_SHIPPED.iterdir()) if (folder / "model.toml").is_file()}
