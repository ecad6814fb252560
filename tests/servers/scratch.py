"""Short-named temporary folders for servers, and the removal of those that killed test runs left behind."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

PREFIX = "electis-test-"
# A Unix socket's path must stay under 104 bytes (107 on Linux), and server and socket names come on top.
LONGEST = 60


class Scratch:
    """A folder that is this process's own for as long as it lives. `close` removes it."""

    def __init__(self, name: str) -> None:
        parent = tempfile.gettempdir()
        if len(os.fsencode(parent)) > LONGEST - len(PREFIX):
            parent = "/tmp"  # noqa: S108  mkdtemp below makes a private folder of an unpredictable name
        _remove_abandoned(Path(parent))
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}-", dir=parent))
        # Locked before it gets its name: a lock file that is there and free means an owner that is dead.
        fresh = self.path / "lock.new"
        self._lock = _lock(fresh)
        fresh.rename(self.path / "lock")

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def _lock(file: Path) -> IO[str] | None:
    """Take a lock that the kernel lets go when this process ends; None when somebody has it."""
    handle = file.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            # One without a lock file is being made at this moment by another worker, or is not ours to judge.
            if folder.stat().st_uid != os.getuid() or not (folder / "lock").exists():
                continue
            lock = _lock(folder / "lock")
        except OSError:  # another worker was faster
            continue
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()
