"""A file that is written whole or not at all: whoever reads it meanwhile sees the old content or the new one."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from electis_cli.domain.errors import InvalidInput


def write_whole(path: Path, text: str) -> None:
    """Write a text (UTF-8) into a file, as `whole_file` does."""
    with whole_file(path) as file:
        file.write(text.encode())


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` that takes its place when the block is left without an error, else nothing is left.

    A new file is for its owner only. One that is there keeps its permissions, and a link to it stays a link. Raises
    InvalidInput when the file can not be written, or is none: a folder or a device is not replaced.
    """
    with _explained(path):
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise InvalidInput(f"{path} is not a file.", why="Only a file can be written anew.")
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".electis-")
    unfinished = Path(name)
    try:
        with io.BufferedWriter(_Explaining(handle, path)) as file:
            yield file
            file.flush()
            with _explained(path):
                os.fsync(file.fileno())
        with _explained(path):
            if target.exists():
                shutil.copymode(target, unfinished)
            unfinished.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


class _Explaining(io.FileIO):
    """Says of what it can not write which file that was; other errors of whoever writes are none of its business."""

    def __init__(self, handle: int, path: Path) -> None:
        super().__init__(handle, "wb")
        self._path = path

    def write(self, data: Any) -> int:
        """Write bytes and return how many they were; raises InvalidInput when the disk is full."""
        with _explained(self._path):
            return super().write(data)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # a RuntimeError is a link that leads to itself
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput(f"The file {path} can not be written.", why=why or str(error)) from error


def check_writable(path: Path) -> None:
    """Raise InvalidInput when a file could not be written, before there is anything to write."""
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise InvalidInput(f"{path} is not a file.", why="Only a file can be written anew.")
    if not target.parent.is_dir():
        raise InvalidInput(f"The file {path} can not be written.", why="There is no such folder.")
    if not os.access(target.parent, os.W_OK):
        raise InvalidInput(f"The file {path} can not be written.", why="Its folder can not be written to.")
