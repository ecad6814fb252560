"""Writing staged changes, whoever planned them: checked against what is there now, then a few statements a noun."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db import conferences, labels
from electis_cli.db.staged.articles import bump_touched
from electis_cli.db.staged.tables import staged_changes
from electis_cli.db.types import UtcDateTime
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.bulk.changes import image_of_room, room_of_image
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.conference import PAGE_FREE, desired_page
from electis_cli.domain.errors import ChangedMeanwhile

_TABLES = {Noun.SPACE: "spaces", Noun.PERSON: "people"}


class Writer:
    """Writes the changes of one batch to one store, in the order that keys and seats ask for."""

    def __init__(self, uow: UnitOfWork, store_id: str, room_prefix: str, now: datetime, batch: int) -> None:
        self._uow, self._store_id, self._prefix, self._now, self._batch = (
            uow,
            store_id,
            room_prefix,
            now,
            batch,
        )
        self._values = {"org_id": uow.tenant, "store_id": store_id, "now": now, "batch": batch}

    def run(self) -> None:
        """Write everything. Raises ChangedMeanwhile when a row is no longer what its change was made from."""
        # What a batch has none of is not looked for: most have one noun and one kind of change.
        kinds = self._kinds()
        for noun in _TABLES:
            if {(noun, "update"), (noun, "delete")} & kinds:
                self._lock_and_compare(noun)
        steps: tuple[tuple[Noun, str, Callable[[], None]], ...] = (
            # Spaces come before the people who sit in them; whoever moves stands up before anybody sits down.
            (Noun.SPACE, "create", lambda: self._insert("spaces", Noun.SPACE, "data", "c.after")),
            (Noun.SPACE, "update", self._update_spaces),
            (Noun.PERSON, "update", self._vacate),
            (Noun.PERSON, "delete", lambda: self._delete("people", Noun.PERSON)),
            (Noun.PERSON, "update", self._update_people),
            (
                Noun.PERSON,
                "create",
                lambda: self._insert("people", Noun.PERSON, "data, assigned_space", "c.after, c.space_after"),
            ),
            (Noun.SPACE, "delete", lambda: self._delete("spaces", Noun.SPACE)),
        )
        for noun, kind, step in steps:
            if (noun, kind) in kinds:
                step()
        self._write_rooms()
        bump_touched(self._uow, self._store_id, self._now, batch=self._batch)
        self._write_labels()

    def _kinds(self) -> set[tuple[Noun, str]]:
        """Return what the batch has of which noun: rows that are created, updated, deleted."""
        sql = """SELECT DISTINCT noun, CASE WHEN before IS NULL THEN 'create' WHEN after IS NULL THEN 'delete'
            ELSE 'update' END FROM staged_changes WHERE batch = :batch"""
        found = self._uow.execute(self._text(sql), {"batch": self._batch})
        return {(Noun(noun), kind) for noun, kind in found}

    def _count(self, sql: str, **values: Any) -> int:
        return self._uow.count_changed(self._text(sql), self._values | values)

    def _number(self, sql: str, **values: Any) -> int:
        number: int = self._uow.execute(self._text(sql), self._values | values).scalar_one()
        return number

    @staticmethod
    def _text(sql: str) -> sa.TextClause:
        statement = sa.text(sql)
        if ":now" in sql:
            statement = statement.bindparams(sa.bindparam("now", type_=UtcDateTime()))
        return statement

    def _lock_and_compare(self, noun: Noun) -> None:
        """Lock the rows that change, in one order, and raise unless each is what its change was made from."""
        table = _TABLES[noun]
        expected = self._number(
            "SELECT count(*) FROM staged_changes WHERE noun = :noun AND batch = :batch AND before IS NOT NULL",
            noun=noun.value,
        )
        seat = "AND t.assigned_space IS NOT DISTINCT FROM c.space_before" if noun is Noun.PERSON else ""
        lock = "" if self._uow.is_sqlite else "ORDER BY t.external_id FOR UPDATE OF t"
        equal = self._number(
            f"""SELECT count(*) FROM (
                SELECT t.id FROM {table} t JOIN staged_changes c
                    ON c.noun = :noun AND c.batch = :batch AND c.key = t.external_id
                WHERE t.org_id = :org_id AND t.store_id = :store_id AND c.before IS NOT NULL
                    AND t.data = c.before {seat} {lock}) s""",  # noqa: S608
            noun=noun.value,
        )
        if equal != expected:
            raise ChangedMeanwhile(fix="run the command again")

    def _insert(self, table: str, noun: Noun, columns: str, values: str) -> None:
        self._count(
            f"""INSERT INTO {table} (org_id, id, store_id, external_id, {columns}, version, created_at, updated_at)
                SELECT :org_id, c.row_id, :store_id, c.key, {values}, 1, :now, :now FROM staged_changes c
                WHERE c.noun = :noun AND c.batch = :batch AND c.before IS NULL""",  # noqa: S608
            noun=noun.value,
        )

    def _delete(self, table: str, noun: Noun) -> None:
        self._count(
            f"""DELETE FROM {table} WHERE org_id = :org_id AND store_id = :store_id AND external_id IN (
                SELECT key FROM staged_changes WHERE noun = :noun AND batch = :batch AND after IS NULL)""",  # noqa: S608
            noun=noun.value,
        )

    def _update_spaces(self) -> None:
        self._count(
            """UPDATE spaces SET data = c.after, version = version + 1, updated_at = :now FROM staged_changes c
                WHERE spaces.org_id = :org_id AND spaces.store_id = :store_id AND spaces.external_id = c.key
                    AND c.noun = 'space' AND c.batch = :batch AND c.before IS NOT NULL AND c.after IS NOT NULL"""
        )

    def _vacate(self) -> None:
        """Let those stand up whose space somebody else takes: no two may sit in one, not even for a moment."""
        self._count(
            """UPDATE people SET assigned_space = NULL
                WHERE org_id = :org_id AND store_id = :store_id AND external_id IN (
                    SELECT c.key FROM staged_changes c JOIN staged_changes d
                        ON d.noun = 'person' AND d.batch = :batch AND d.space_after = c.space_before
                    WHERE c.noun = 'person' AND c.batch = :batch AND c.after IS NOT NULL AND d.key <> c.key
                        AND c.space_after IS DISTINCT FROM c.space_before)"""
        )

    def _update_people(self) -> None:
        self._count(
            """UPDATE people SET data = c.after, assigned_space = c.space_after, version = version + 1,
                    updated_at = :now FROM staged_changes c
                WHERE people.org_id = :org_id AND people.store_id = :store_id AND people.external_id = c.key
                    AND c.noun = 'person' AND c.batch = :batch AND c.before IS NOT NULL AND c.after IS NOT NULL"""
        )

    def _write_rooms(self) -> None:
        """Write conference rooms one by one: there are few of them, and their labels' pages follow."""
        changes = list(staged_changes(self._uow, noun=Noun.ROOM, batch=self._batch))
        if not changes:
            return
        found = conferences.rooms_by_external_id(
            self._uow, self._store_id, [change.key for change in changes]
        )
        pages: dict[str, int] = {}
        for change in changes:
            current = found.get(change.key)
            if (image_of_room(current) if current else None) != change.before:
                raise ChangedMeanwhile(fix="run the command again")
            if change.after is None:
                assert current is not None
                conferences.delete_room(self._uow, current)
                continue
            room = room_of_image(
                change.after,
                row_id=current.id if current else change.row_id,
                store_id=self._store_id,
                key=change.key,
                version=current.version if current else 1,
            )
            if current is None:
                conferences.insert_rooms(self._uow, [room], self._now)
            elif not conferences.save_room(self._uow, room, self._now):
                raise ChangedMeanwhile(fix="run the command again")
            pages[self._prefix + change.key] = desired_page(room)
        labels.wish_pages(self._uow, self._store_id, pages, self._now)

    def _write_labels(self) -> None:
        """Write what labels are to show, and on which page: a label that leaves a room goes back to its first page."""
        changes = list(staged_changes(self._uow, noun=Noun.LABEL, batch=self._batch))
        if not changes:
            return
        wishes = labels.wishes_by_code(self._uow, [change.key for change in changes])
        rooms = {
            self._prefix + room.external_id: desired_page(room)
            for room in conferences.list_rooms(self._uow, [self._store_id])
        }
        for change in changes:
            wish = wishes.get(change.key)
            if label_image(wish.desired_article if wish else None) != change.before:
                raise ChangedMeanwhile(fix="run the command again")
            article = change.after["article"] if change.after else None
            page = rooms.get(article) if article else None
            if article and page is None and wish is not None and wish.desired_page is not None:
                page = PAGE_FREE
            labels.save_wish(
                self._uow,
                label_code=change.key,
                store_id=self._store_id,
                article_id=article,
                page=page,
                now=self._now,
            )


def label_image(article: str | None) -> dict[str, str] | None:
    """Return what a change keeps of a label: the article it is to show, or None for none."""
    return None if article is None else {"article": article}
