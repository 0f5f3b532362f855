"""Pictures of events, as files below the data folder.

A picture is complete and on the disk before the row that names it is, so a row never names half a picture. What writes
raises OSError, and the store translates it. The sweeper raises nothing: a picture too many keeps no event waiting.

One picture's path is a string: pathlib puts every part of a path among Python's interned strings, and the gaps that
thousands of forgotten names leave there make that table double some day.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from edged.disk import sync_folder
from edged.store.ids import is_id

log = logging.getLogger(__name__)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Sweeper:
    """Deletes pictures and folders of days. What cannot be deleted stays, and is told of once for each folder."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def delete(self, pictures: Iterable[str | Path]) -> int:
        """Delete pictures, those that are gone already too; return how many are gone now."""
        gone = 0
        for picture in pictures:
            with self.telling(os.path.dirname(picture)):
                with suppress(FileNotFoundError):
                    os.unlink(picture)
                gone += 1
        return gone

    def delete_days(self, folder: Path, *, before: str, is_kept: Callable[[Path], bool]) -> None:
        """Delete the days before one (YYYY-MM-DD), with the pictures that need not be kept.

        A day that holds anything else stays.
        """
        with self.telling(folder / "snapshots"):
            for day in days_in(folder):
                if day.name < before:
                    self._delete_day(day, is_kept)

    def _delete_day(self, day: Path, is_kept: Callable[[Path], bool]) -> None:
        with self.telling(day):
            kept = {picture for picture in pictures_of(day) if is_kept(picture)}
            self.delete(picture for picture in pictures_of(day) if picture not in kept)
            if not kept:
                day.rmdir()

    @contextmanager
    def telling(self, folder: Path | str) -> Iterator[None]:
        """Log what goes wrong with `folder`, the first time, and go on after the block."""
        try:
            yield
        except OSError as error:
            if str(folder) not in self._told:
                log.warning("not everything in %s can be deleted, look what is there: %s", folder, error)
            self._told.add(str(folder))


def days_in(folder: Path) -> list[Path]:
    """The folders of days below the data folder `folder`, by date. Whatever else lies there is not ours."""
    days = (folder / "snapshots").glob("*")
    return sorted(day for day in days if _DAY.fullmatch(day.name) and day.is_dir() and not day.is_symlink())


def pictures_of(day: Path) -> list[Path]:
    """The pictures in a day's folder, half-written ones (.tmp) too. Whatever else lies there is not ours."""
    return [path for path in day.glob("*") if path.suffix in (".jpg", ".tmp") and is_id(path.stem)]


def write_snapshots(folder: Path, pictures: Mapping[str, bytes], *, on_each: Callable[[], None]) -> None:
    """Write JPEGs by their path below `folder`, and wait until the disk has them; `on_each` is told of each."""
    changed: set[Path | str] = set()
    for name, jpeg in pictures.items():
        on_each()
        path = f"{folder}/{name}"
        partial = f"{path.removesuffix('.jpg')}.tmp"
        day = os.path.dirname(path)
        if not os.path.isdir(day):
            changed |= _make_folders(Path(day), folder)
        try:
            with open(partial, "wb") as file:
                file.write(jpeg)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except OSError:
            with suppress(FileNotFoundError):
                os.unlink(partial)
            raise
        changed.add(day)
    for parent in changed:
        sync_folder(parent)


def _make_folders(wanted: Path, root: Path) -> set[Path]:
    """Make `wanted` below `root`; return the folders that got a new name in them."""
    if wanted.is_dir():
        return set()
    changed = _make_folders(wanted.parent, root) if wanted.parent != root else set()
    wanted.mkdir(exist_ok=True)
    return changed | {wanted.parent}
