"""What the tables of the configuration are made of: options that say what they are, folders, frozen sections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationInfo

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"


def option(default: Any, sentence: str, unit: str, **limits: Any) -> Any:
    """Declare an option: its default (`...` when it must be given), a sentence for people, its unit, and limits."""
    return Field(default, description=sentence, json_schema_extra={"unit": unit}, **limits)


def resolve(text: str, info: ValidationInfo) -> str:
    """Read the path `text` relative to the folder that the loader put into the validation's context."""
    if "\0" in text:
        raise ValueError("a path cannot hold a NUL character")
    if text.startswith("~/"):
        return str(_home() / text[2:])
    folder: Path | None = (info.context or {}).get("folder")
    return str(folder / text) if folder is not None else text


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise ValueError("this user has no home folder: write the whole path instead of ~") from None


def _folder(path: Path, info: ValidationInfo) -> Path:
    return Path(resolve(str(path), info))


FolderPath = Annotated[Path, Strict(False), AfterValidator(_folder)]  # TOML has no paths, only texts


class Section(BaseModel):
    """A table of the file. Frozen, takes no unknown key, and turns no text into a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
