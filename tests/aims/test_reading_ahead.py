"""Reading ahead: the pages come as they are, one of them is under way, and nothing is left behind."""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from electis_cli.aims.reading_ahead import read_ahead

PATIENCE = 10.0


@dataclass
class Book:
    """A list of pages that remembers who asked for which, and breaks where it is told to."""

    pages: int
    breaks_at: int | None = None
    asked: list[int] = field(default_factory=list)
    threads: set[threading.Thread] = field(default_factory=set)
    is_closed: bool = False
    turned: threading.Condition = field(default_factory=threading.Condition)

    def read(self) -> Iterator[int]:
        try:
            for page in range(self.pages):
                with self.turned:
                    self.asked.append(page)
                    self.threads.add(threading.current_thread())
                    self.turned.notify_all()
                if page == self.breaks_at:
                    raise LookupError(page)
                yield page
        finally:
            self.is_closed = True

    def wait_for(self, page: int) -> bool:
        with self.turned:
            return self.turned.wait_for(lambda: page in self.asked, PATIENCE)

    @property
    def helpers(self) -> set[threading.Thread]:
        return self.threads - {threading.current_thread()}


def ticking(seconds: float):
    """A clock that says that every page took so long to come."""
    return functools.partial(next, itertools.count(step=seconds))


def ahead_of(book: Book, *, each: float = 0.1):
    return contextlib.closing(read_ahead(book.read(), has_more=lambda _: True, clock=ticking(each)))


def test_pages_come_in_their_order():
    book = Book(50)
    with ahead_of(book) as pages:
        assert list(pages) == book.asked == list(range(50))
    assert len(book.helpers) == 1


def test_the_next_page_is_fetched_while_one_is_read():
    book = Book(5)
    with ahead_of(book) as pages:
        for page in pages:
            assert page == 4 or book.wait_for(page + 1)


def test_no_more_than_one_page_is_read_ahead():
    book = Book(50)
    with ahead_of(book) as pages:
        for page in pages:
            assert book.asked[-1] <= page + 1
            assert page == 49 or book.wait_for(page + 1)


def test_who_stops_early_leaves_no_thread_and_no_open_list():
    book = Book(50)
    with ahead_of(book) as pages:
        assert (next(pages), next(pages)) == (0, 1)
        assert book.wait_for(2)
    (helper,) = book.helpers
    assert not helper.is_alive()
    assert book.is_closed
    assert book.asked == [0, 1, 2]


def test_an_error_is_met_after_the_pages_before_it():
    book = Book(50, breaks_at=3)
    with ahead_of(book) as pages:
        assert [next(pages) for _ in range(3)] == [0, 1, 2]
        assert book.wait_for(3)
        with pytest.raises(LookupError, match="3"):
            next(pages)
    (helper,) = book.helpers
    assert not helper.is_alive()


@pytest.mark.parametrize("pages", [0, 1, 3])
def test_a_list_without_more_needs_no_thread(pages):
    book = Book(pages)
    assert list(read_ahead(book.read(), has_more=lambda _: False, clock=ticking(0.1))) == list(range(pages))
    assert book.helpers == set()


def test_pages_that_are_there_at_once_need_no_thread():
    book = Book(50)
    with ahead_of(book, each=0.001) as pages:
        assert list(pages) == book.asked == list(range(50))
    assert book.helpers == set()


def test_the_thread_begins_when_pages_are_slow_on_average_not_for_one():
    book = Book(50)
    took = iter([0.001, 0.02, 0.001, 0.1, *[0.001] * 46])
    now = itertools.accumulate(itertools.chain.from_iterable((0.0, next(took, 0.0)) for _ in range(60)))
    with contextlib.closing(
        read_ahead(book.read(), has_more=lambda _: True, clock=lambda: next(now))
    ) as pages:
        for page in pages:
            assert bool(book.helpers) == (page >= 3 and book.wait_for(4)), page
            if page == 5:
                break
