"""Pages of a list with totals in the headers (contract 4)."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from electis_cli.simulator.call import Call, Refused, Reply, mint
from electis_cli.simulator.devices import Json

T = TypeVar("T")

DEFAULT_SIZE = 10
SMALL_CAP = 50
"""The size a `size-cap` without a limit allows."""


def page_bounds(call: Call) -> tuple[int, int]:
    """Page number and size; anything but whole numbers is refused, a large size silently lowered."""
    number, size = _number(call, "page", 0), _number(call, "size", DEFAULT_SIZE)
    if size < 1:
        raise Refused(405, "SIZE_IS_INVALID")
    if size > call.settings.page_cap and call.settings.over_page == "refuse":
        raise Refused(405, "SIZE_IS_INVALID")
    if call.faults_of("page-ignored"):
        number = 0
    caps = [fault.limit or SMALL_CAP for fault in call.faults_of("size-cap")]
    return number, min(size, call.settings.page_cap, *caps)


def one_page(
    call: Call,
    key: str,
    rows: Sequence[T],
    render: Callable[[T], Json],
    *,
    message: str = "SUCCESS",
    beside: Mapping[str, Json] | None = None,
) -> Reply:
    """The asked page of `rows`; past the end 204 without headers (contract 4)."""
    number, size = page_bounds(call)
    if call.settings.unstable_sort and not call.text("sort"):
        rows = list(rows)
        random.Random(mint(call.world)).shuffle(rows)
    forms = {fault.shape for fault in call.faults_of("page-dup")}
    part = _part(rows, number, size, forms)
    if not part:
        return nothing(call, key, message)
    short = len(rows) > size and "short" in forms
    counted = len(rows) + (size - _half(size) if short else 0)
    pages, total = -(-counted // size), len(rows)
    if "total-low" in forms:
        pages, total = max(1, pages - 1), max(1, total - size)
    if "total-high" in forms:
        pages, total = pages + 1, total + size
    headers = {
        "x-totalpages": str(pages),
        "x-totalelements": str(total),
        "x-number": str(number),
        "x-size": str(size),
        "x-total-count": str(len(part)),
    }
    payload = {**(beside or {}), key: [render(row) for row in part]}
    is_silent = any(fault.shape == "no-totals" for fault in call.faults_of("page-ignored"))
    told = headers if call.settings.paging_headers and not is_silent else {}
    return Reply(payload, message, headers=told, rows=key)


def _part(rows: Sequence[T], number: int, size: int, forms: set[str]) -> Sequence[T]:
    """The rows of a page, as the forms of `page-dup` move its ends (contract 9.5)."""
    start, end = number * size, (number + 1) * size
    if number and "dup" in forms:
        start -= 1
    if number and "skip" in forms:
        start += 1
    if number and "short" in forms:
        # The second page holds half; all that follow start earlier by the rest.
        early = size - _half(size)
        start, end = start - (early if number > 1 else 0), end - early
    return rows[start:end]


def _half(size: int) -> int:
    return max(1, size // 2)


def whole(
    call: Call, key: str, rows: Sequence[T], render: Callable[[T], Json], message: str = "SUCCESS"
) -> Reply:
    """All rows at once, for the lists AIMS does not page."""
    if not rows:
        return nothing(call, key, message)
    return Reply({key: [render(row) for row in rows]}, message, rows=key)


def nothing(call: Call, key: str, message: str = "SUCCESS") -> Reply:
    """204, or an empty list where the contract knows no 204 for the operation."""
    return Reply() if call.operation.empty else Reply({key: []}, message, rows=key)


def ordered(
    call: Call,
    rows: Sequence[T],
    keys: Mapping[str, Callable[[T], Any]],
    default: str,
) -> Sequence[T]:
    """Rows, given in the order of their ids, sorted as `sort` asks; equal ones stay in that order."""
    field, _, direction = (call.text("sort") or default).partition(",")
    key = keys.get(field)
    if key is None:
        return rows
    return sorted(rows, key=key, reverse=direction == "desc")


def _number(call: Call, name: str, default: int) -> int:
    text = call.text(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise Refused(405, f"{name.upper()}_IS_INVALID")
    return int(text)
