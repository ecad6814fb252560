"""What stands against staged changes that were made from an older state: an undo, a saved plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import among
from electis_cli.db.unit_of_work import UnitOfWork

_CHANGES = sa.Table("staged_changes", sa.MetaData(), sa.Column("place", sa.BigInteger))

Obstacle = tuple[int, str, str, str | None]
"""The place of a staged change, its noun and key, and what is in the way (a person or space), if anything is."""


def _rows(uow: UnitOfWork, store_id: str, sql: str, **values: Any) -> Sequence[Any]:
    rows: Sequence[Any] = uow.execute(
        sa.text(sql), {"org_id": uow.tenant, "store_id": store_id, **values}
    ).all()
    return rows


def changed_since(uow: UnitOfWork, store_id: str) -> list[Obstacle]:
    """Return staged changes of spaces and people whose row is no longer what they start from."""
    found: list[Obstacle] = []
    for noun, table, seat in (
        ("space", "spaces", ""),
        ("person", "people", "OR t.assigned_space IS DISTINCT FROM c.space_before"),
    ):
        sql = f"""SELECT c.place, c.noun, c.key FROM staged_changes c LEFT JOIN {table} t
            ON t.org_id = :org_id AND t.store_id = :store_id AND t.external_id = c.key
            WHERE c.noun = :noun AND (
                (c.before IS NULL AND t.id IS NOT NULL) OR (c.before IS NOT NULL AND t.id IS NULL)
                OR (c.before IS NOT NULL AND (t.data IS DISTINCT FROM c.before {seat})))
            ORDER BY c.place"""  # noqa: S608
        found += [(row[0], row[1], row[2], None) for row in _rows(uow, store_id, sql, noun=noun)]
    return found


def seats_gone(uow: UnitOfWork, store_id: str) -> list[Obstacle]:
    """Return staged changes that seat somebody in a space that will not be there."""
    sql = """SELECT c.place, c.noun, c.key, c.space_after FROM staged_changes c
        LEFT JOIN spaces t ON t.org_id = :org_id AND t.store_id = :store_id AND t.external_id = c.space_after
        LEFT JOIN staged_changes s ON s.noun = 'space' AND s.key = c.space_after
        WHERE c.noun = 'person' AND c.space_after IS NOT NULL
            AND ((t.id IS NULL AND s.after IS NULL) OR (s.key IS NOT NULL AND s.after IS NULL))
        ORDER BY c.place"""
    return [tuple(row) for row in _rows(uow, store_id, sql)]


def seats_taken(uow: UnitOfWork, store_id: str) -> list[Obstacle]:
    """Return staged changes that seat somebody where somebody sits who stays there."""
    sql = """SELECT c.place, c.noun, c.key, t.external_id FROM staged_changes c
        JOIN people t ON t.org_id = :org_id AND t.store_id = :store_id AND t.assigned_space = c.space_after
        LEFT JOIN staged_changes o ON o.noun = 'person' AND o.key = t.external_id
        WHERE c.noun = 'person' AND t.external_id <> c.key
            AND (o.key IS NULL OR o.space_after IS NOT DISTINCT FROM t.assigned_space)
        ORDER BY c.place"""
    return [tuple(row) for row in _rows(uow, store_id, sql)]


def spaces_occupied(uow: UnitOfWork, store_id: str) -> list[Obstacle]:
    """Return staged deletions of spaces in which somebody sits who stays there."""
    sql = """SELECT c.place, c.noun, c.key, t.external_id FROM staged_changes c
        JOIN people t ON t.org_id = :org_id AND t.store_id = :store_id AND t.assigned_space = c.key
        LEFT JOIN staged_changes o ON o.noun = 'person' AND o.key = t.external_id
        WHERE c.noun = 'space' AND c.after IS NULL
            AND (o.key IS NULL OR o.space_after IS NOT DISTINCT FROM t.assigned_space)
        ORDER BY c.place"""
    return [tuple(row) for row in _rows(uow, store_id, sql)]


def article_ids_taken(uow: UnitOfWork, store_id: str, room_prefix: str) -> list[Obstacle]:
    """Return staged changes that bring back a space or a room whose article id belongs to the other kind by now."""
    found: list[Obstacle] = []
    # Looked for only where something of the kind is brought back: PostgreSQL knows too little to see that it need not.
    if _creates(uow, "space"):
        sql = """SELECT c.place, c.noun, c.key, r.external_id FROM conference_rooms r
            JOIN staged_changes c ON c.key = :prefix || r.external_id
            WHERE r.org_id = :org_id AND r.store_id = :store_id AND c.noun = 'space' AND c.before IS NULL
                AND NOT EXISTS (SELECT 1 FROM staged_changes o
                    WHERE o.noun = 'conference room' AND o.key = r.external_id AND o.after IS NULL)"""
        found += [tuple(row) for row in _rows(uow, store_id, sql, prefix=room_prefix)]
    if _creates(uow, "conference room"):
        sql = """SELECT c.place, c.noun, c.key, t.external_id FROM staged_changes c
            JOIN spaces t ON t.org_id = :org_id AND t.store_id = :store_id AND t.external_id = :prefix || c.key
            WHERE c.noun = 'conference room' AND c.before IS NULL AND NOT EXISTS (
                SELECT 1 FROM staged_changes o WHERE o.noun = 'space' AND o.key = t.external_id AND o.after IS NULL)"""
        found += [tuple(row) for row in _rows(uow, store_id, sql, prefix=room_prefix)]
    return found


def _creates(uow: UnitOfWork, noun: str) -> bool:
    sql = "SELECT EXISTS (SELECT 1 FROM staged_changes WHERE noun = :noun AND before IS NULL)"
    return bool(uow.execute(sa.text(sql), {"noun": noun}).scalar_one())


def drop_places(uow: UnitOfWork, places: Iterable[int]) -> None:
    """Take staged changes out again."""
    # In one go: each statement looks through all of them.
    uow.execute(_CHANGES.delete().where(among(uow, _CHANGES.c.place, sorted(set(places)))))
