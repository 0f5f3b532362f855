"""From options and answers to the text of a configuration file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import typer

from edged import app
from edged.capture.cameras import FoundCamera, which_camera
from edged.cli.camera_table import camera_table, name_for
from edged.config.compose import compose
from edged.config.loader import parse_config
from edged.config.toml_text import toml_value
from edged.detect.catalogue import shipped_models
from edged.detect.spec import ModelSpec
from edged.disk import read_file
from edged.domain.addresses import looks_like_address, scheme
from edged.domain.devices import device_path
from edged.errors import ConfigError, EdgedError
from edged.imaging.files import cannot_write

_A = TypeVar("_A")
_B = TypeVar("_B")

_LIKELY = "/dev/video0"  # where a camera will be, most likely, once one is plugged in


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says; None is not said."""

    sources: Sequence[str] | None
    model: str | None
    labels: Sequence[str] | None
    data_dir: Path
    runtime_dir: Path | None


def configuration(
    wanted: Wanted, *, asking: bool, find_cameras: Callable[[], Sequence[FoundCamera]] = app.find_cameras
) -> str:
    """Ask for what is not said, if `asking`, and write the file's text, checked. Raises ConfigError and ModelError."""
    model, spec = _answer(wanted.model, lambda: _ask_model(asking), lambda name: (name, app.model_spec(name)), asking)
    found = find_cameras()
    usable = [camera for camera in found if camera.takes_pictures and app.mode_for(camera, spec) is not None]
    tables = _answer(
        wanted.sources or None,
        lambda: _ask_cameras(usable, asking),
        lambda sources: camera_tables(sources, found, spec),
        asking,
    )
    labels = _answer(wanted.labels, lambda: _ask_labels(spec, asking), lambda words: _known(words, spec), asking)
    text = compose(  # with absolute paths: others would count from the file's folder
        data_dir=wanted.data_dir.absolute(),
        runtime_dir=wanted.runtime_dir and wanted.runtime_dir.absolute(),
        model=model if model in shipped_models() else str(Path(model).absolute()),
        threads=2 if (os.cpu_count() or 1) >= 4 else 1,
        labels=labels,
        camera_tables=tables,
    )
    parse_config(text, name="the new configuration", folder=Path.cwd())
    return text


def camera_tables(sources: Iterable[str], found: Sequence[FoundCamera], spec: ModelSpec) -> list[str]:
    """A [[camera]] table for each source: with the mode that suits the model where the camera is here."""
    names: set[str] = set()
    tables = []
    for source in sources:
        camera = which_camera(Path(device_path(source) or source), found)
        name = name_for(camera, names) if camera else _free_name(names)
        names.add(name)
        tables.append(camera_table(name, camera, app.mode_for(camera, spec)) if camera else _plain_table(name, source))
    return tables


def write_config(path: Path, text: str) -> None:
    """Write the file in one go, keeping the one that was there as .bak. Raises OutputNotWritable."""
    new = path.with_name(f".{path.name}.new")
    try:
        _write_to_disk(new, text.encode())
        if path.exists():
            kept = path.with_name(f"{path.name}.bak")
            _write_to_disk(kept, read_file(path))  # not renamed: a cut of power must not leave the box without one
            for file in (kept, new):
                shutil.copystat(path, file)
                os.chown(file, path.stat().st_uid, path.stat().st_gid)
        else:
            new.chmod(0o640)  # an address may hold a password
            os.chown(new, -1, path.parent.stat().st_gid)  # /etc/edged belongs to the group that edged runs in
        new.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def _write_to_disk(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, on the disk when this returns: a cut of power leaves no empty one."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _answer(said: _A | None, ask: Callable[[], _A], check: Callable[[_A], _B], asking: bool) -> _B:
    """What `check` makes of the answer; a person is told what is wrong with it, and asked again. Raises EdgedError."""
    if said is not None or not asking:
        return check(ask() if said is None else said)
    while True:
        try:
            return check(ask())
        except EdgedError as error:
            typer.echo(error, err=True)


def _ask_model(asking: bool) -> str:
    return _ask("Model (a folder, or a name from `edged models list`)", "builtin", asking)


def _ask(question: str, default: str, asking: bool) -> str:
    return str(typer.prompt(question, default=default, err=True)) if asking else default


def _ask_cameras(usable: Sequence[FoundCamera], asking: bool) -> list[str]:
    devices = [str(camera.stable_path) for camera in usable]
    if not asking:
        return devices or [_LIKELY]
    for number, camera in enumerate(usable, start=1):
        typer.echo(f"  {number}  {camera.node.name}, {camera.node.path}", err=True)
    if not usable:
        typer.echo("No camera is plugged in that edged can read (`edged cameras` says why).", err=True)
    default = ", ".join(str(number + 1) for number in range(len(usable))) or _LIKELY
    answer = _ask("Cameras: numbers of the list, devices or addresses, with commas between", default, asking)
    return [_numbered(word.strip(), devices) for word in answer.split(",") if word.strip()]


def _numbered(word: str, devices: Sequence[str]) -> str:
    return devices[int(word) - 1] if word.isascii() and word.isdigit() and 0 < int(word) <= len(devices) else word


def _ask_labels(spec: ModelSpec, asking: bool) -> list[str]:
    default = "person" if "person" in spec.labels else "all"
    if asking:
        typer.echo(f"  The model knows: {', '.join(spec.labels)}", err=True)
    answer = _ask("What to watch: labels with commas between, or all", default, asking)
    return [] if answer.strip() == "all" else [word.strip() for word in answer.split(",") if word.strip()]


def _known(labels: Sequence[str], spec: ModelSpec) -> Sequence[str]:
    """The labels, if the model knows them all. Raises ConfigError."""
    if unknown := [label for label in labels if label not in spec.labels]:
        raise ConfigError(
            f"The model does not know these labels: {', '.join(unknown)}.", hint=f"It knows: {', '.join(spec.labels)}."
        )
    return labels


def _plain_table(name: str, source: str) -> str:
    lines = [f"name = {toml_value(name)}", f"source = {toml_value(source)}"]
    if not any((scheme(source), device_path(source), looks_like_address(source))):
        if not Path(source).exists():
            raise ConfigError(f"There is no {source}.", hint="Name a device, an address, or a file that is there.")
        lines = [lines[0], f"source = {toml_value(Path(source).absolute())}", 'play = "in_real_time"']
    return "\n".join(["[[camera]]", *lines])


def _free_name(taken: set[str]) -> str:
    number = 1
    while f"camera-{number}" in taken:
        number += 1
    return f"camera-{number}"
