"""A file that is written whole or not at all: whoever reads it meanwhile sees the old content or the new one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from electis_cli.domain.errors import InvalidInput


def write_whole(path: Path, text: str) -> None:
    """Write a text (UTF-8) into a file, through one beside it; a new file is for its owner only.

    A file that is there keeps its permissions, and a link to it stays a link. Raises InvalidInput when the file can
    not be written, or is none: a folder or a device is not replaced.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise InvalidInput(f"{path} is not a file.", why="Only a file can be written anew.")
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".electis-")
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, unfinished)
            unfinished.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
    except (OSError, RuntimeError) as error:  # a RuntimeError is a link that leads to itself
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput(f"The file {path} can not be written.", why=why or str(error)) from error
