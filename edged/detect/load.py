"""Finds out what lies in a model folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from edged.detect import model_toml, ultralytics
from edged.detect.spec import ModelSpec
from edged.errors import ModelError, ModelInvalid, ModelNotFound


def load_spec(folder: Path) -> ModelSpec:
    """Read model.toml, or the metadata.yaml of an Ultralytics export, and look whether the files are there and whole.

    Raises ModelNotFound when the folder or a file is missing or closed to this user, and ModelInvalid when the
    description is wrong or a file's SHA-256 differs from the one in model.toml.
    """
    try:
        return _read(folder)
    except OSError as problem:
        raise ModelNotFound(
            f"{problem.filename or folder} cannot be looked at: {problem.strerror}.",
            hint="Let the user that edged runs as read the folder and all that is in it, or correct its name.",
        ) from problem


def _read(folder: Path) -> ModelSpec:
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise ModelNotFound(
            f"The model folder {folder} {what}.", hint="Name a folder that holds weights and model.toml."
        )
    digests: Mapping[str, str] = {}
    if (folder / model_toml.FILE_NAME).exists():
        spec, digests = model_toml.read_model_toml(folder)
    elif (folder / ultralytics.FILE_NAME).exists():
        spec = ultralytics.read_ultralytics_folder(folder)
    else:
        raise _undescribed(folder)
    for format_ in spec.formats.values():
        for path in format_.files.values():
            _check_exists(spec, path)
    for name, digest in digests.items():
        _check_digest(spec, folder / name, digest)
    return spec


def _undescribed(folder: Path) -> ModelError:
    """What to say of a folder without a description."""
    params = sorted(path.name for path in folder.glob("*.param"))
    if not params:
        return ModelNotFound(
            f"The folder {folder} holds no model: neither model.toml nor metadata.yaml is there.",
            hint="Name a folder that holds weights and model.toml; docs/models.md shows one.",
        )
    return ModelInvalid(
        f"The folder {folder} holds weights ({', '.join(params)}) but no model.toml, so nobody knows the input size, "
        "colour order, mean and scale, head and labels.",
        hint="Copy the example in docs/models.md to model.toml there and fill it in; "
        "for an Ultralytics export, copy the metadata.yaml that was written beside the weights.",
    )


def _check_exists(spec: ModelSpec, path: Path) -> None:
    if path.is_dir():
        raise ModelNotFound(
            f"Model {spec.name} needs the file {path}, which is a folder.", hint="Copy the file to that place."
        )
    if not path.is_file():
        there = ", ".join(sorted(entry.name for entry in spec.folder.iterdir())) or "nothing"
        raise ModelNotFound(
            f"Model {spec.name} needs {path.name}, which is not in {spec.folder} (there: {there}).",
            hint="Copy the file there, or correct its name in model.toml.",
        )


def _check_digest(spec: ModelSpec, path: Path, digest: str) -> None:
    _check_exists(spec, path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != digest:
        raise ModelInvalid(
            f"{path} is damaged or another file: its SHA-256 is {found}, model.toml says {digest}.",
            hint="Copy the file again; if it was replaced on purpose, write its new SHA-256 into model.toml.",
        )
