"""Work that goes on in a thread of its own while its caller does something else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any


def in_a_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """Begin some work, and return how to wait for what it returns or raises; to be waited for once.

    A process that ends does not wait for it: a call that hangs ends by its own deadline.
    """
    ended: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the waiting one's to meet
            ended.put((None, error))
        else:
            ended.put((result, None))

    threading.Thread(target=run, name="beside", daemon=True).start()

    def wait() -> Any:
        result, error = ended.get()
        if error is not None:
            raise error
        return result

    return wait
