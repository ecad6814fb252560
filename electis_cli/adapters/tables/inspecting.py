"""The first pass over a file's bytes: digest, size, encoding; and standard input put aside to be read twice."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from electis_cli.domain.bulk.encodings import EncodingSniffer, Sniffed
from electis_cli.domain.bulk.neutral import RESTORABLE_BYTES
from electis_cli.domain.errors import UsageProblem

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What a file's bytes say. `may_restore` is False when certainly no cell has an apostrophe to take off."""

    sha256: str
    size: int
    sniffed: Sniffed
    may_restore: bool


def open_bytes(path: Path | None, stdin: BinaryIO | None) -> tuple[BinaryIO, bool]:
    """Return a file that can be read twice, and whether it still has to be filled while it is inspected.

    Raises UsageProblem when there is no such file.
    """
    if path is None:
        assert stdin is not None
        return stdin, True
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageProblem(f"The file {path} can not be read.", why=f"{error.strerror or error}.") from error
    return file, not stat.S_ISREG(os.fstat(file.fileno()).st_mode)


def put_aside(source: BinaryIO) -> BinaryIO:
    """Return an anonymous file on the disk with what a stream holds, which is never in memory as a whole."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115 (whoever reads it closes it)
    try:
        for chunk in _chunks(source):
            spool.write(chunk)
        spool.flush()
    except BaseException:
        spool.close()
        raise
    return spool


def inspect(file: BinaryIO, encoding: str | None) -> Inspected:
    """Return what a file's bytes say; with `encoding` they are only checked against it."""
    digest, sniffer = hashlib.sha256(), EncodingSniffer(declared=encoding)
    size, tail, may_restore = 0, b"", False
    file.seek(0)
    for chunk in _chunks(file):
        digest.update(chunk)
        sniffer.feed(chunk)
        may_restore = may_restore or RESTORABLE_BYTES.search(tail + chunk[:2]) is not None
        may_restore = may_restore or RESTORABLE_BYTES.search(chunk) is not None
        size, tail = size + len(chunk), chunk[-2:]
    sniffed = sniffer.result()
    return Inspected(
        sha256=digest.hexdigest(),
        size=size,
        sniffed=sniffed,
        # Two bytes a letter, or whatever was declared: not worth a second pattern.
        may_restore=may_restore or sniffed.encoding not in {"utf-8", "cp1252", "cp1255"},
    )


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(_CHUNK), b"")
