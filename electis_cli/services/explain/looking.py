"""What the database knows of a thing that is to be explained."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from electis_cli.db import (
    accounts,
    conferences,
    daemons,
    exchanges,
    labels,
    leases,
    ledger,
    people,
    spaces,
    trail,
)
from electis_cli.db.accounts import Account
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.articles import room_article_id, room_external_id
from electis_cli.domain.errors import LabelNotFound, NotFound, PersonNotFound, RoomNotFound, SpaceNotFound
from electis_cli.domain.labels import normalize_label_code
from electis_cli.domain.queue import LabelWish, LedgerRow, known_hashes
from electis_cli.domain.verdict import Tries
from electis_cli.services.change import Reading
from electis_cli.services.daemons import are_all_gone
from electis_cli.services.push.store import lease_name
from electis_cli.services.recording import ExchangeView, last_write_of
from electis_cli.services.rendering import Rendered, render_articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """What the database knows."""

    noun: str
    identifier: str
    place: Store
    organization: Organization
    account: Account
    row: Mapping[str, Any]
    article_id: str | None
    person: str | None
    rendered: Rendered | None
    ledger: LedgerRow | None
    known: frozenset[str]
    wishes: Sequence[LabelWish]
    last_push: ExchangeView | None
    tries: Tries
    has_worker: bool
    has_daemon: bool
    settle: timedelta
    now: datetime


def look_up(read: Reading, noun: str, identifier: str, store: str | None) -> Local:
    """Return what the database knows of a thing. Raises the noun's NotFound."""
    find, missing = _NOUNS[noun]
    for place in read.stores(store):
        found = find(read, place, identifier)
        if found is None:
            continue
        row, article_id, entities, imports = found
        changed = trail.last_change(read.uow, place.id, entities, imports)
        row["last_changed_by"] = changed["actor_email"] if changed else None
        row["last_changed_at"] = changed["at"] if changed else None
        row["last_action"] = changed["action"] if changed else None
        return _gather(read, place, noun, row, article_id)
    raise missing(f"There is no {noun} {identifier}.", fix=shlex.join(["electis", "find", identifier]))


def look_up_unknown(read: Reading, place: Store, code: str, article_id: str | None) -> Local:
    """Return what the database knows of the article that AIMS shows on a label nobody ever wished anything of."""
    is_ours = article_id is not None and bool(ledger.rows_by_id(read.uow, place.id, [article_id]))
    row = {"id": code, "article": None, "page": None, "origin": None}
    return _gather(read, place, "label", row, article_id if is_ours else None)


_Found = tuple[dict[str, Any], str | None, dict[str, str], dict[str, datetime | None]]
"""A row, its article's id, what its history is kept under (entity -> id), and the imports that may have written it."""


def _find_space(read: Reading, place: Store, identifier: str) -> _Found | None:
    space = spaces.find_space(read.uow, place.id, identifier)
    if space is None:
        return None
    seated = people.occupants(read.uow, place.id, [identifier]).get(identifier)
    row: dict[str, Any] = {"id": identifier, "data": space.data, "version": space.version}
    row["person"] = seated.external_id if seated else None
    entities, imports = {"space": identifier}, {"space:imported": space.updated_at}
    if seated is not None:
        entities["person"], imports["person:imported"] = seated.external_id, seated.updated_at
    return row, identifier, entities, imports


def _find_person(read: Reading, place: Store, identifier: str) -> _Found | None:
    person = people.find_person(read.uow, place.id, identifier)
    if person is None:
        return None
    row = {"id": identifier, "data": person.data, "version": person.version, "space": person.assigned_space}
    return row, person.assigned_space, {"person": identifier}, {"person:imported": person.updated_at}


def _find_room(read: Reading, place: Store, identifier: str) -> _Found | None:
    prefix = read.organization().room_prefix
    short = room_external_id(identifier, prefix)
    room = conferences.find_room(read.uow, place.id, short) or conferences.find_room(
        read.uow, place.id, identifier
    )
    if room is None:
        return None
    row = {"id": room.external_id, "room_name": room.room_name, "has_meeting": room.has_meeting}
    row |= {"meeting_name": room.meeting_name, "start_time": room.start_time, "end_time": room.end_time}
    row |= {"participants": list(room.participants), "version": room.version}
    article_id = room_article_id(room.external_id, prefix)
    return row, article_id, {"conference": room.external_id}, {"conference:imported": room.updated_at}


def _find_label(read: Reading, place: Store, identifier: str) -> _Found | None:
    code = normalize_label_code(identifier)
    wish = labels.find_wish(read.uow, code)
    if wish is None or wish.store_id != place.id:
        return None
    row = {"id": code, "article": wish.desired_article, "page": wish.desired_page, "origin": wish.origin}
    # One that is to show nothing may still show what AIMS acknowledged.
    return row, wish.desired_article or wish.acked_article, {"label": code}, {}


_NOUNS: dict[str, tuple[Callable[[Reading, Store, str], _Found | None], type[NotFound]]] = {
    "space": (_find_space, SpaceNotFound),
    "person": (_find_person, PersonNotFound),
    "conference": (_find_room, RoomNotFound),
    "label": (_find_label, LabelNotFound),
}


def _gather(read: Reading, place: Store, noun: str, row: Mapping[str, Any], article_id: str | None) -> Local:
    uow, now = read.uow, read.scope.runtime.clock()
    organization, identifier = read.organization(), str(row["id"])
    ids = [article_id] if article_id else []
    rendered = render_articles(uow, organization, place.id, ids) if organization.article_format else {}
    # Not only the labels that are to show it: also those that still do.
    wishes = labels.list_wishes(uow, [place.id], article_ids=ids) if ids and noun != "label" else []
    if noun == "label":
        wishes = list(labels.wishes_by_code(uow, [identifier]).values())
    account = accounts.find_account(uow)
    seated = people.occupants(uow, place.id, ids).get(article_id or "")
    entry = ledger.rows_by_id(uow, place.id, ids).get(article_id or "")
    return Local(
        noun=noun,
        identifier=identifier,
        place=place,
        organization=organization,
        account=account,
        row=row,
        article_id=article_id,
        person=seated.external_id if seated else None,
        rendered=rendered.get(article_id or ""),
        ledger=entry,
        known=known_hashes(entry, now),
        wishes=wishes,
        last_push=_last_push(read, place, article_id, identifier if noun == "label" else None),
        tries=_tries(read, place, entry, (place.backoff_until, account.backoff_until), now),
        has_worker=leases.current_holder(uow, lease_name(place.id)) is not None,
        has_daemon=any(uow.now() < daemon.alive_until for daemon in daemons.list_daemons(uow))
        and not are_all_gone(read.scope.runtime),
        settle=read.scope.runtime.tuning.settle,
        now=now,
    )


def _last_push(
    read: Reading, place: Store, article_id: str | None, label_code: str | None
) -> ExchangeView | None:
    """Return the last write about the article, or about the label that is explained when that was later."""
    subjects = [subject for subject in (label_code, article_id) if subject is not None]
    found = [call for subject in subjects if (call := last_write_of(read, place.code, subject)) is not None]
    return max(found, key=lambda call: call.at, default=None)


def _tries(
    read: Reading, place: Store, row: LedgerRow | None, waits: Sequence[datetime | None], now: datetime
) -> Tries:
    """Return the pushes in vain that the flight recorder has, and when row, store and account allow the next."""
    if row is None or not row.is_dirty:
        return Tries()
    held_back = [moment for moment in waits if moment is not None and moment > now]
    in_vain: list[Mapping[str, Any]] = []
    # An article that was changed since is no longer what AIMS did not take.
    if row.inflight_version is not None or row.error_text or held_back:
        writes = exchanges.list_exchanges(read.uow, [place.code], writes=True)
        about_it = (write for write in writes if row.article_id in write["subjects"])
        in_vain = list(itertools.takewhile(lambda write: write["error_class"] is not None, about_it))
    own = [row.next_attempt_at] if row.next_attempt_at is not None and row.next_attempt_at > now else []
    return Tries(
        count=len(in_vain),
        since=in_vain[-1]["at"] if in_vain else None,
        last_at=row.last_tried_at,
        next_at=max([*held_back, *own], default=None),
    )
