"""The files that stores keep: where they are, who may read them, and how one that cannot be used is put aside."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from itertools import count
from pathlib import Path

SIDE_FILES = ("", "-wal", "-shm")
"""SQLite looks for the last commits under the name of the store, so the three move together."""


def data_folder() -> Path:
    """The folder that stores are kept in unless a caller says otherwise."""
    if home := os.environ.get("TICKET_PLAYGROUND_HOME"):
        return Path(home).expanduser()
    # The XDG rules have a relative path ignored.
    data = Path(os.environ.get("XDG_DATA_HOME") or "-")
    return (data if data.is_absolute() else Path.home() / ".local/share") / "ticket-playground"


def create_private(path: Path) -> None:
    """Create a file for its owner alone; SQLite would create it for all to read, and gives its side files the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def rename_aside(path: Path) -> Path:
    """Rename a store that cannot be used, keep all of it, and return its new path. Raises `OSError`."""
    free = next(p for n in count(1) if not (p := path.with_name(f"{path.name}.aside-{n}")).exists())
    for end in SIDE_FILES:
        with suppress(FileNotFoundError):
            Path(f"{path}{end}").rename(f"{free}{end}")
    return free


def error_name(error: sqlite3.Error) -> tuple[str, str]:
    """SQLite's name for an error, such as SQLITE_READONLY_DIRECTORY, and its second word, such as READONLY."""
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return name, name.removeprefix("SQLITE_").partition("_")[0]


def by_kind(damaged: str, unwritable: str, full: str, unreadable: str, busy: str) -> dict[str, str]:
    """A store's sentences by the second word of SQLite's name for an error, as `error_name` tells it."""
    return {
        "NOTADB": damaged,
        "CORRUPT": damaged,
        "READONLY": unwritable,
        "CANTOPEN": unwritable,
        "PERM": unwritable,
        "FULL": full,
        "IOERR": unreadable,
        "BUSY": busy,
        "LOCKED": busy,
    }
