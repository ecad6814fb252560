"""Finding anything by a piece of any of its values: support often has only a name."""

from __future__ import annotations

import contextlib
import functools
import re
import shlex
import unicodedata
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from electis_cli.db import finding, users
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action, is_allowed
from electis_cli.domain.articles import room_article_id
from electis_cli.domain.errors import InvalidInput
from electis_cli.services.change import Reading, Scope, reading

_CODE_IN_PAIRS = re.compile(r"(?:[0-9a-f]{2}[:.\-\s]){2,}[0-9a-f]{0,2}")


_EXPLAINED = frozenset({"space", "people", "conference", "label"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One value that holds what was looked for: of which thing, in which field, and the command that shows it.

    `explain` is the one that says why labels show of it what they show; stores and users have none.
    """

    noun: str
    id: str
    store: str | None
    field: str
    value: str
    show: str
    explain: str | None = None


def find(scope: Scope, text: str, *, store: str | None = None, limit: int | None = None) -> Iterator[Match]:
    """Yield every value that holds a text, whatever its case and its diacritics: in spaces, people, rooms and labels.

    Stores are looked through too, and users for those who may see them. Rows are streamed, each read once. Raises
    InvalidInput for a text without a letter or digit, StoreNotFound.
    """
    needle = fold(text.strip())
    if not any(character.isalnum() for character in needle):
        raise InvalidInput(
            "Say what to look for.", why="It needs a letter or a digit.", fix="electis find TEXT"
        )
    with reading(scope) as read:
        places = {place.id: place for place in read.stores(store)}
        with contextlib.closing(_matches(read, needle, places, named=store)) as found:
            yield from islice(found, limit)


def fold(text: str) -> str:
    """Return a text as it is compared: without case, diacritics (also Hebrew points) and invisible signs."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text).translate(_marks()).casefold()


def _matches(
    read: Reading, needle: str, places: Mapping[str, Store], *, named: str | None
) -> Generator[Match]:
    uow, ids = read.uow, list(places)
    say_store = len(read.stores(None)) > 1
    prefix = read.organization().room_prefix
    code_needle = re.sub(r"[:.\-\s]", "", needle) if _CODE_IN_PAIRS.fullmatch(needle) else needle

    def match(
        noun: str, row: Mapping[str, Any], identifier: str, fields: Mapping[str, Any]
    ) -> Iterator[Match]:
        return _in_row(noun, identifier, places[row["store_id"]].code, fields, needle, say_store=say_store)

    for row in finding.space_rows(uow, ids):
        yield from match("space", row, row["external_id"], {"external_id": row["external_id"], **row["data"]})
    for row in finding.person_rows(uow, ids):
        own = {"external_id": row["external_id"], "space": row["assigned_space"]}
        yield from match("people", row, row["external_id"], {**own, **row["data"]})
    for row in finding.room_rows(uow, ids):
        facts = {name: value for name, value in row.items() if name not in {"store_id", "participants"}}
        article_id = room_article_id(row["external_id"], prefix)
        facts |= {"article_id": article_id, "participants": ", ".join(row["participants"])}
        yield from match("conference", row, row["external_id"], facts)
    for row in finding.label_rows(uow, ids):
        shown = {"article": row["desired_article"], "acked_article": row["acked_article"]}
        code = row["label_code"]
        if code_needle in code.lower():
            yield _match("label", code, places[row["store_id"]].code, "label_code", code, say_store=say_store)
        elif shown["article"] == shown["acked_article"]:
            del shown["acked_article"]
        yield from match("label", row, code, shown)
    for place in places.values():
        yield from _in_row("store", place.code, place.code, {"code": place.code, "name": place.name}, needle)
    if named is None and is_allowed(read.scope.actor, Action.READ_USERS):
        for user in users.list_users(uow):
            names = {"email": user.email, "first_name": user.first_name, "last_name": user.last_name}
            yield from _in_row("user", user.email, None, names, needle)


def _in_row(
    noun: str,
    identifier: str,
    store: str | None,
    fields: Mapping[str, Any],
    needle: str,
    *,
    say_store: bool = False,
) -> Iterator[Match]:
    # Most rows hold nothing of it: they are folded once as a whole.
    if needle not in fold("\n".join(str(value) for value in fields.values() if value)):
        return
    for name, value in fields.items():
        if value and needle in fold(str(value)):
            yield _match(noun, identifier, store, name, str(value), say_store=say_store)


def _match(
    noun: str, identifier: str, store: str | None, field: str, value: str, *, say_store: bool
) -> Match:
    words = ["electis", noun, "show", identifier]
    there = ["--store", store] if say_store and store is not None and noun != "store" else []
    why = ["electis", "explain", noun, identifier, *there] if noun in _EXPLAINED else None
    return Match(
        noun=noun,
        id=identifier,
        store=store,
        field=field,
        value=value,
        show=shlex.join([*words, *there]),
        explain=shlex.join(why) if why else None,
    )


@functools.cache
def _marks() -> dict[int, None]:
    """Return what is left out of a decomposed text: combining marks, and signs that only steer its direction."""
    everything = (chr(code) for code in range(0x80, 0x10000))
    return {
        ord(character): None
        for character in everything
        if unicodedata.combining(character) or unicodedata.category(character) == "Cf"
    }
