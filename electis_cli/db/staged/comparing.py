"""Staged rows against the rows that are there: what is wrong with them, and what they change.

The statements say what `domain.bulk` and the single writes say about one row; tests hold both equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import chunks
from electis_cli.db.staged.tables import take_stock
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.bulk.nouns import Noun

_TABLES = {Noun.SPACE: "spaces", Noun.PERSON: "people"}
_PRESENT = {
    **_TABLES,
    Noun.ROOM: "conference_rooms",
    Noun.LABEL: "label_links",
}


def _rows(uow: UnitOfWork, store_id: str, sql: str, **values: Any) -> Sequence[Any]:
    rows: Sequence[Any] = uow.execute(
        sa.text(sql), {"org_id": uow.tenant, "store_id": store_id, **values}
    ).all()
    return rows


def _run(uow: UnitOfWork, store_id: str, sql: str, **values: Any) -> int:
    return uow.count_changed(sa.text(sql), {"org_id": uow.tenant, "store_id": store_id, **values})


def keys_twice(uow: UnitOfWork) -> Sequence[tuple[int, int, str]]:
    """Return rows whose key stands in an earlier row: line, the earlier line, key."""
    sql = (
        "SELECT line, first, key FROM (SELECT line, key, min(line) OVER (PARTITION BY key) AS first"
        " FROM staged_rows WHERE key IN (SELECT key FROM staged_rows GROUP BY key HAVING count(*) > 1)) t"
        " WHERE line > first ORDER BY line"
    )
    return uow.execute(sa.text(sql)).all()  # type: ignore[no-any-return]


def known_keys(uow: UnitOfWork, noun: Noun, store_id: str) -> Sequence[tuple[int, str]]:
    """Return rows that are about something that is there: line and key."""
    sql = f"""SELECT s.line, s.key FROM staged_rows s JOIN {_TABLES[noun]} t
        ON t.org_id = :org_id AND t.store_id = :store_id AND t.external_id = s.key ORDER BY s.line"""  # noqa: S608
    return _rows(uow, store_id, sql)


def unknown_keys(uow: UnitOfWork, noun: Noun, store_id: str) -> Sequence[tuple[int, str]]:
    """Return rows that are about something that is not there: line and key."""
    sql = f"""SELECT s.line, s.key FROM staged_rows s LEFT JOIN {_TABLES[noun]} t
        ON t.org_id = :org_id AND t.store_id = :store_id AND t.external_id = s.key
        WHERE t.id IS NULL ORDER BY s.line"""  # noqa: S608
    return _rows(uow, store_id, sql)


def rooms_in_the_way(uow: UnitOfWork, store_id: str, prefix: str) -> Sequence[tuple[int, str, str]]:
    """Return rows of new spaces whose id is a conference room's article id: line, key, the room's id."""
    sql = """SELECT s.line, s.key, r.external_id FROM staged_rows s
        JOIN conference_rooms r ON r.org_id = :org_id AND r.store_id = :store_id
            AND :prefix || r.external_id = s.key
        LEFT JOIN spaces t ON t.org_id = :org_id AND t.store_id = :store_id AND t.external_id = s.key
        WHERE t.id IS NULL ORDER BY s.line"""
    return _rows(uow, store_id, sql, prefix=prefix)


def spaces_missing(uow: UnitOfWork, store_id: str) -> Sequence[tuple[int, str]]:
    """Return rows that seat somebody where there is no space: line and space."""
    sql = """SELECT s.line, s.space FROM staged_rows s LEFT JOIN spaces t
        ON t.org_id = :org_id AND t.store_id = :store_id AND t.external_id = s.space
        WHERE s.space <> '' AND t.id IS NULL ORDER BY s.line"""
    return _rows(uow, store_id, sql)


def spaces_twice(uow: UnitOfWork) -> Sequence[tuple[int, int, str]]:
    """Return rows that seat somebody where an earlier row seats somebody: line, the earlier line, space."""
    sql = (
        "SELECT line, first, space FROM (SELECT line, space, min(line) OVER (PARTITION BY space) AS first"
        " FROM staged_rows WHERE space IN"
        " (SELECT space FROM staged_rows WHERE space <> '' GROUP BY space HAVING count(*) > 1)) t"
        " WHERE line > first ORDER BY line"
    )
    return uow.execute(sa.text(sql)).all()  # type: ignore[no-any-return]


def spaces_taken(uow: UnitOfWork, store_id: str, *, others_leave: bool) -> Sequence[tuple[int, str, str]]:
    """Return rows that seat somebody where somebody sits who stays there: line, space, who.

    With `others_leave` whoever is not staged leaves, or is deleted.
    """
    sql = """SELECT s.line, s.space, p.external_id FROM staged_rows s
        JOIN people p ON p.org_id = :org_id AND p.store_id = :store_id AND p.assigned_space = s.space
        LEFT JOIN staged_rows o ON o.key = p.external_id
        WHERE p.external_id <> s.key AND o.space IS NULL AND (o.key IS NOT NULL OR :stay = 1)
        ORDER BY s.line"""
    return _rows(uow, store_id, sql, stay=0 if others_leave else 1)


def not_seated(uow: UnitOfWork, store_id: str) -> Sequence[tuple[int, str, str]]:
    """Return rows that move somebody who has no space: line, key, the space wanted."""
    sql = """SELECT s.line, s.key, s.space FROM staged_rows s
        JOIN people p ON p.org_id = :org_id AND p.store_id = :store_id AND p.external_id = s.key
        WHERE p.assigned_space IS NULL ORDER BY s.line"""
    return _rows(uow, store_id, sql)


def occupied(uow: UnitOfWork, store_id: str) -> Sequence[tuple[int, str, str]]:
    """Return the spaces that staged changes delete although somebody sits there who stays: place, space, person."""
    sql = """SELECT c.place, c.key, p.external_id FROM staged_changes c
        JOIN people p ON p.org_id = :org_id AND p.store_id = :store_id AND p.assigned_space = c.key
        LEFT JOIN staged_changes o ON o.noun = 'person' AND o.key = p.external_id
        WHERE c.noun = 'space' AND c.after IS NULL AND o.key IS NULL ORDER BY c.place"""
    return _rows(uow, store_id, sql)


def drop_lines(uow: UnitOfWork, lines: Iterable[int]) -> None:
    """Take rows out again, by their lines."""
    for piece in chunks(sorted(set(lines))):
        uow.execute(
            sa.text("DELETE FROM staged_rows WHERE line IN :lines").bindparams(
                sa.bindparam("lines", expanding=True)
            ),
            {"lines": list(piece)},
        )


def plan_changes(uow: UnitOfWork, noun: Noun, store_id: str) -> None:
    """Stage what the staged rows change; rows that say what is already there change nothing."""
    table, is_person = _TABLES[noun], noun is Noun.PERSON
    seat = "t.assigned_space" if is_person else "CAST(NULL AS text)"
    wanted = f"CASE WHEN s.space IS NULL THEN {seat} ELSE NULLIF(s.space, '') END" if is_person else seat
    merged = (
        "json_patch(coalesce(t.data, '{}'), s.patch)"
        if uow.is_sqlite
        else "jsonb_strip_nulls(coalesce(t.data, CAST('{}' AS jsonb)) || s.patch)"
    )
    sql = f"""INSERT INTO staged_changes
            (place, noun, key, row_id, before, after, space_before, space_after)
        SELECT line, :noun, key, row_id, before, after, space_before, space_after FROM (
            SELECT s.line, s.key, coalesce(t.id, s.id) AS row_id, t.data AS before, {merged} AS after,
                {seat} AS space_before, {wanted} AS space_after
            FROM staged_rows s LEFT JOIN {table} t
                ON t.org_id = :org_id AND t.store_id = :store_id AND t.external_id = s.key) c
        WHERE before IS DISTINCT FROM after OR space_before IS DISTINCT FROM space_after"""  # noqa: S608
    _run(uow, store_id, sql, noun=noun.value)
    take_stock(uow, "staged_changes")


def plan_deletions(uow: UnitOfWork, noun: Noun, store_id: str, *, staged: bool) -> None:
    """Stage the deletion of all rows that are staged (a list of what to delete), or of all that are not."""
    table, is_person = _TABLES[noun], noun is Noun.PERSON
    seat = "t.assigned_space" if is_person else "CAST(NULL AS text)"
    sql = f"""INSERT INTO staged_changes (place, noun, key, row_id, before, space_before)
        SELECT {"s.line" if staged else _next_place("t.external_id")}, :noun, t.external_id, t.id, t.data, {seat}
        FROM {table} t LEFT JOIN staged_rows s ON s.key = t.external_id
        WHERE t.org_id = :org_id AND t.store_id = :store_id AND s.key IS {"NOT NULL" if staged else "NULL"}"""  # noqa: S608
    _run(uow, store_id, sql, noun=noun.value)


def plan_unseating(uow: UnitOfWork, store_id: str, *, of_deleted: bool = False) -> None:
    """Stage that people stand up: all who are not staged themselves, or those in spaces that are to be deleted."""
    who = (
        "p.assigned_space IN (SELECT key FROM staged_changes WHERE noun = 'space' AND after IS NULL)"
        if of_deleted
        else "p.external_id NOT IN (SELECT key FROM staged_rows WHERE space IS NOT NULL)"
    )
    sql = f"""INSERT INTO staged_changes (place, noun, key, row_id, before, after, space_before)
        SELECT {_next_place("p.external_id")}, 'person', p.external_id, p.id, p.data, p.data, p.assigned_space
        FROM people p WHERE p.org_id = :org_id AND p.store_id = :store_id AND p.assigned_space IS NOT NULL
            AND {who} AND NOT EXISTS (
                SELECT 1 FROM staged_changes c WHERE c.noun = 'person' AND c.key = p.external_id)"""  # noqa: S608
    _run(uow, store_id, sql)


def _next_place(order: str) -> str:
    """Return what numbers changes that no line of a file asked for: after all that are staged already."""
    last = "(SELECT coalesce(max(place), 0) FROM staged_changes)"
    return f"{last} + row_number() OVER (ORDER BY {order})"


def count_staged(uow: UnitOfWork) -> int:
    """Return how many rows are staged."""
    count: int = uow.execute(sa.text("SELECT count(*) FROM staged_rows")).scalar_one()
    return count


def count_deleted(uow: UnitOfWork, noun: Noun) -> int:
    """Return how many staged changes delete rows of a noun."""
    sql = "SELECT count(*) FROM staged_changes WHERE noun = :noun AND after IS NULL"
    count: int = uow.execute(sa.text(sql), {"noun": noun.value}).scalar_one()
    return count


def count_unchanged(uow: UnitOfWork, noun: Noun) -> int:
    """Return how many staged rows say what is already there."""
    sql = """SELECT count(*) FROM staged_rows s
        WHERE NOT EXISTS (SELECT 1 FROM staged_changes c WHERE c.noun = :noun AND c.key = s.key)"""
    count: int = uow.execute(sa.text(sql), {"noun": noun.value}).scalar_one()
    return count


def divide(uow: UnitOfWork, size: int) -> int:
    """Divide the staged changes into batches of so many rows and return how many there are.

    Those who take over a space from one another come first and together, however many: no batch may leave somebody
    without the space that the next one would give them.
    """
    uow.execute(
        sa.text(
            """UPDATE staged_changes SET batch = 1 + (n.nth - 1) / :size FROM (
                SELECT place, row_number() OVER (ORDER BY place) AS nth FROM staged_changes WHERE NOT (
                    noun = 'person' AND (
                        (space_before IS NOT NULL AND space_before IS DISTINCT FROM space_after AND space_before IN (
                            SELECT space_after FROM staged_changes WHERE space_after IS NOT NULL))
                        OR (space_after IS NOT NULL AND space_before IS DISTINCT FROM space_after AND space_after IN (
                            SELECT space_before FROM staged_changes WHERE space_before IS NOT NULL))))) n
            WHERE n.place = staged_changes.place"""
        ),
        {"size": size},
    )
    last: int = uow.execute(sa.text("SELECT coalesce(max(batch), 0) FROM staged_changes")).scalar_one()
    return last + 1


def size_of_batch(uow: UnitOfWork, batch: int) -> int:
    """Return how many staged changes a batch has."""
    sql = "SELECT count(*) FROM staged_changes WHERE batch = :batch"
    count: int = uow.execute(sa.text(sql), {"batch": batch}).scalar_one()
    return count


def count_present(uow: UnitOfWork, noun: Noun, store_id: str) -> int:
    """Return how many rows of a noun a store has."""
    linked = "AND t.desired_article IS NOT NULL" if noun is Noun.LABEL else ""
    sql = f"SELECT count(*) FROM {_PRESENT[noun]} t WHERE t.org_id = :org_id AND t.store_id = :store_id {linked}"  # noqa: S608
    count: int = _rows(uow, store_id, sql)[0][0]
    return count


def count_changes(uow: UnitOfWork, *, up_to: int | None = None) -> tuple[int, int, int]:
    """Return how many staged changes create, update and delete rows; of all batches, or `up_to` one."""
    sql = """SELECT coalesce(sum(CASE WHEN before IS NULL THEN 1 ELSE 0 END), 0),
            coalesce(sum(CASE WHEN before IS NOT NULL AND after IS NOT NULL THEN 1 ELSE 0 END), 0),
            coalesce(sum(CASE WHEN after IS NULL THEN 1 ELSE 0 END), 0)
        FROM staged_changes WHERE CAST(:up_to AS integer) IS NULL OR batch <= :up_to"""
    statement = sa.text(sql).bindparams(sa.bindparam("up_to", type_=sa.Integer()))
    row = uow.execute(statement, {"up_to": up_to}).one()
    return int(row[0]), int(row[1]), int(row[2])
