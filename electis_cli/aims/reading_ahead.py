"""Reading ahead: the next page of a list is fetched while its reader is busy with the one before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

Page = TypeVar("Page")

_SLOW = 0.015
"""Seconds from which on waiting for pages, on average, is worth a thread. What is there sooner takes our own time to
read, not AIMS's, and two threads that compute get in each other's way: a full sync took a third longer."""

_PATIENCE = 1.0
"""Seconds to wait for a call that nobody needs any more; one that hangs ends by its own deadline."""


def read_ahead(
    pages: Generator[Page],
    *,
    has_more: Callable[[Page], bool],
    clock: Callable[[], float] = time.monotonic,
) -> Generator[Page]:
    """Yield the pages of `pages` in their order, with the next one under way in a thread of its own if they are slow.

    The thread begins with the first page that `has_more` says others follow after once they are, so that short lists
    need none. It is one page ahead, never more. What `pages` raises is raised here, after the pages before it. Who
    closes this generator ends the thread. `clock` counts seconds.
    """
    began, waited = clock(), 0.0
    for number, page in enumerate(pages, 1):
        waited += clock() - began
        if waited >= number * _SLOW and has_more(page):
            break
        yield page
        began = clock()
    else:
        return
    reader = _Reader(pages)
    try:
        yield page
        yield from reader.pages()
    finally:
        reader.stop()


class _Reader(Generic[Page]):
    """Runs a generator in a thread."""

    def __init__(self, pages: Generator[Page]) -> None:
        self._source = pages
        self._read: SimpleQueue[tuple[Page | None, BaseException | None]] = SimpleQueue()
        self._wanted = threading.Semaphore(1)
        self._is_stopped = False
        # A process that ends does not wait for a page that nobody is going to read.
        self._thread = threading.Thread(target=self._run, name="reading ahead", daemon=True)
        self._thread.start()

    def pages(self) -> Iterator[Page]:
        """Yield what was read; ask for one more whenever one is taken."""
        while True:
            page, error = self._read.get()
            if error is not None:
                raise error
            if page is None:
                return
            self._wanted.release()
            yield page

    def stop(self) -> None:
        """End the thread after the call it is in."""
        self._is_stopped = True
        self._wanted.release()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            while self._wanted.acquire() and not self._is_stopped:
                page = next(self._source, None)
                self._read.put((page, None))
                if page is None:
                    return
        except BaseException as raised:  # noqa: BLE001 - whatever it is, it is the reader's to meet
            error = raised
        finally:
            self._source.close()
            if error is not None:
                self._read.put((None, error))
