"""Plans in files: what a file would change is written down, looked at, and later carried out exactly so or not at all.

A plan is JSON lines: what it is about, one row's change a line, and the digest of all lines before the last one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from electis_cli.adapters.whole_file import whole_file
from electis_cli.db import changesets
from electis_cli.db.organizations import Organization
from electis_cli.db.staged import articles, comparing, tables
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action, require
from electis_cli.domain.articles import check_external_id, merge_data
from electis_cli.domain.bulk.changes import RowChange, image_of_room, room_of_image
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import brake_on_deletes
from electis_cli.domain.errors import BrakeTripped, ChangedMeanwhile, Conflict, InvalidInput
from electis_cli.domain.labels import normalize_label_code
from electis_cli.domain.rooms import check_room_id, name_room
from electis_cli.domain.timing import iso
from electis_cli.services.bulk.carrying_out import Deed, announce, carry_out
from electis_cli.services.bulk.doing import MOST_SHOWN, SavePlan
from electis_cli.services.bulk.holding import bulk_work
from electis_cli.services.bulk.obstacles import find_obstacles
from electis_cli.services.bulk.views import BulkView, difference_of
from electis_cli.services.change import Change, Scope, changing_on, reading

_VERSION = 1
_FIELDS = ("noun", "key", "row_id", "before", "after", "space_before", "space_after")


def plan_writer(path: Path, file: str, sha256: str | None, *, max_deletes: int | None = None) -> SavePlan:
    """Return what writes a plan into a file, whole or not at all; `max_deletes` holds when it is carried out."""

    def save(change: Change, place: Store, rows: Iterator[RowChange]) -> None:
        with whole_file(path) as out:
            digest = hashlib.sha256()

            def put(value: Mapping[str, Any]) -> None:
                line = orjson.dumps(value) + b"\n"
                digest.update(line)
                out.write(line)

            put(
                {
                    "electis_plan": _VERSION,
                    "organization": change.organization().code,
                    "store": place.code,
                    "file": file,
                    "sha256": sha256,
                    "max_deletes": max_deletes,
                    "made_at": iso(change.now),
                    "made_by": change.scope.actor.email,
                }
            )
            for row in rows:
                put(dict(zip(_FIELDS, row, strict=True)))
            out.write(orjson.dumps({"digest": digest.hexdigest()}) + b"\n")

    return save


def apply_plan(
    scope: Scope, file: BinaryIO, *, source: str, max_deletes: int | None = None, dry_run: bool = False
) -> BulkView:
    """Carry out a plan that was written into a file, exactly as it is.

    Raises InvalidInput for a file that is no plan or was changed, Conflict for a plan of another organization,
    ChangedMeanwhile with the first rows that are no longer what the plan was made from, BrakeTripped when it deletes
    more than the brake, the plan or `max_deletes` allows, LockHeld.
    """
    require(scope.actor, Action.CHANGE_FACTS)
    about, digest = _check(file, source)
    with reading(scope) as read:
        organization = read.organization()
        if about["organization"] != organization.code:
            raise Conflict(
                f"The plan is for organization {about['organization']}, this is {organization.code}.",
                fix="electis whoami",
            )
        place = read.store(about["store"])
    with bulk_work(scope, place) as bench:
        with bench.prepare() as uow:
            tables.create(uow)
            tables.load_changes(uow, _rows(file, organization))
            uow.commit()
        with changing_on(bench, scope, Action.CHANGE_FACTS, dry_run=dry_run) as change:
            found = find_obstacles(change, place, organization)
            if found:
                applied = changesets.find_applied(change.uow, digest)
                if applied is not None:
                    raise Conflict(
                        f"The plan {source} was applied already.",
                        why=f"By change {applied.id}.",
                        fix=f"electis history show {applied.id}",
                    )
                raise ChangedMeanwhile(
                    f"{_rows_are(len(found))} no longer what the plan was made from; nothing was written.",
                    why="; ".join(f"{one.noun} {one.key}: {one.why}" for one in found[:MOST_SHOWN]),
                    fix="make the plan again",
                )
            created, updated, deleted = comparing.count_changes(change.uow)
            articles.find_touched(change.uow, organization.room_prefix)
            counts = {"created": created, "updated": updated, "unchanged": 0, "deleted": deleted}
            brake = _brake(change, place, about.get("max_deletes") if max_deletes is None else max_deletes)
            if brake is not None and not dry_run:
                raise BrakeTripped(brake, fix="look at it with --dry-run, then add --max-deletes N")
            deed = Deed(
                changeset_id=change.new_id(),
                noun=_main_noun(change),
                verb="applied",
                file=about["file"],
                sha256=digest,
            )
            view = BulkView(
                file=source,
                store=place.code,
                created=created,
                updated=updated,
                unchanged=0,
                deleted=deleted,
                rejected=0,
                label_redraws=articles.count_redraws(change.uow, place.id),
                dry_run=dry_run,
                brake=brake,
                changeset=None if dry_run or not (created or updated or deleted) else deed.changeset_id,
                differences=[
                    difference_of(row) for row in tables.staged_changes(change.uow, limit=MOST_SHOWN)
                ],
            )
            if view.changeset is not None:
                carry_out(change, place, deed, counts)
                announce(change, place, deed, counts)
                scope.runtime.reached("bulk:committing")
        scope.runtime.reached("bulk:committed")
    return view


def count_deletions(file: BinaryIO) -> int:
    """Return how many rows a plan deletes, for whoever has to ask first; the file is read from its start."""
    file.seek(0)
    return sum(1 for line in file if b'"after":null' in line)


def _rows_are(count: int) -> str:
    return "One row is" if count == 1 else f"{count} rows are"


def _brake(change: Change, place: Store, max_deletes: int | None) -> str | None:
    """Return what the brake of replacing imports says of a plan, noun by noun; a plan must not be a way around it."""
    for noun in (Noun.SPACE, Noun.PERSON, Noun.ROOM, Noun.LABEL):
        deleted = comparing.count_deleted(change.uow, noun)
        if deleted:
            brake = brake_on_deletes(
                deleted, comparing.count_present(change.uow, noun, place.id), max_deletes
            )
            if brake is not None:
                return f"The plan {brake}"
    return None


def _main_noun(change: Change) -> Noun:
    first = next(tables.staged_changes(change.uow, limit=1), None)
    return first.noun if first else Noun.SPACE


def _check(file: BinaryIO, source: str) -> tuple[dict[str, Any], str]:
    """Return what a plan is about and its digest, once every line of it was read."""
    no_plan = InvalidInput(
        f"{source} is no plan.",
        why="A plan is written with --plan FILE, and not to be edited.",
        fix="electis people import FILE --plan PLAN",
    )
    file.seek(0)
    digest, about, last = hashlib.sha256(), None, b""
    for line in file:
        if about is None:
            about = _object(line)
            if about is None or about.get("electis_plan") != _VERSION:
                raise no_plan
        if last:
            digest.update(last)
        last = line
    end = _object(last)
    if about is None or end is None or end.get("digest") != digest.hexdigest():
        raise (
            no_plan
            if end is None or "digest" not in end
            else InvalidInput(f"The plan {source} was changed after it was made.", fix="make the plan again")
        )
    return about, digest.hexdigest()


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _rows(file: BinaryIO, organization: Organization) -> Iterator[RowChange]:
    """Yield a plan's rows, each held against the rules once more: whoever can write a digest can write anything."""
    file.seek(0)
    next(file)
    for line in file:
        value = _object(line) or {}
        if "digest" in value:
            return
        try:
            row = RowChange(Noun(value["noun"]), *(value[name] for name in _FIELDS[1:]))
            _check_row(row, organization)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise InvalidInput("The plan has a row that is none.", fix="make the plan again") from error
        yield row


def _check_row(row: RowChange, organization: Organization) -> None:
    article_format, prefix = organization.article_format, organization.room_prefix
    if row.noun in {Noun.SPACE, Noun.PERSON}:
        is_right = check_external_id(row.key, noun=row.noun) == row.key and (
            row.after is None or merge_data({}, row.after, article_format) == row.after
        )
    elif row.noun is Noun.ROOM:
        is_right = check_room_id(row.key, prefix) == row.key
        if row.after is not None:
            room = room_of_image(row.after, row_id=row.row_id, store_id="", key=row.key)
            is_right = is_right and image_of_room(name_room(room, room.room_name)) == dict(row.after)
    else:
        is_right = normalize_label_code(row.key) == row.key
    if not is_right:
        raise InvalidInput(f"The plan sets {row.noun} {row.key} to what no command would.")
