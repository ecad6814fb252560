"""Label wishes: which article a label must show, and on which page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from electis_cli.db.rows import among, chunks, mine, one_or_none
from electis_cli.db.tables import dead_letters, label_links
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.labels import Display
from electis_cli.domain.queue import LabelWish, State


def wish_of(row: Any) -> LabelWish:
    """Return the wish in a row that has all its columns."""
    fields = {name: row[name] for name in LabelWish.__dataclass_fields__}
    fields["state"] = State(row["state"])
    fields["display"] = Display(row["display"])
    return LabelWish(**fields)


def find_wish(uow: UnitOfWork, label_code: str, *, lock: bool = False) -> LabelWish | None:
    """Return what is wished of a label, or None when nothing ever was."""
    statement = sa.select(label_links).where(mine(uow, label_links), label_links.c.label_code == label_code)
    row = one_or_none(uow, statement.with_for_update() if lock else statement)
    return wish_of(row) if row else None


def list_wishes(
    uow: UnitOfWork,
    store_ids: Sequence[str],
    *,
    article_ids: Iterable[str] | None = None,
    limit: int | None = None,
) -> list[LabelWish]:
    """Return the label wishes of some stores, by label code; `article_ids` narrows them to those articles."""
    base = (
        sa.select(label_links)
        .where(mine(uow, label_links), label_links.c.store_id.in_(store_ids))
        .order_by(label_links.c.label_code)
        .limit(limit)
    )
    if article_ids is None:
        return [wish_of(row) for row in uow.execute(base).mappings()]
    found: list[LabelWish] = []
    for piece in chunks(sorted(set(article_ids))):
        wanted = sa.or_(
            among(uow, label_links.c.desired_article, piece), among(uow, label_links.c.acked_article, piece)
        )
        found.extend(wish_of(row) for row in uow.execute(base.where(wanted)).mappings())
    return found


def shown_articles(uow: UnitOfWork, label_codes: Iterable[str]) -> dict[str, str | None]:
    """Return the article that each of some labels is known to show; without those nobody knows of."""
    found: dict[str, str | None] = {}
    for piece in chunks(sorted(set(label_codes))):
        statement = sa.select(label_links.c.label_code, label_links.c.acked_article).where(
            mine(uow, label_links), among(uow, label_links.c.label_code, piece)
        )
        found.update((code, article_id) for code, article_id in uow.execute(statement))
    return found


def kept_for(uow: UnitOfWork, label_code: str) -> list[LabelWish]:
    """Return the labels that still show what this one is to show instead of them."""
    statement = (
        sa.select(label_links)
        .where(
            mine(uow, label_links),
            label_links.c.waits_for == label_code,
            label_links.c.acked_article.is_not(None),
        )
        .order_by(label_links.c.label_code)
    )
    return [wish_of(row) for row in uow.execute(statement).mappings()]


def wishes_by_code(
    uow: UnitOfWork, label_codes: Iterable[str], *, lock: bool = False
) -> dict[str, LabelWish]:
    """Return what is known of some labels, by label code."""
    found: dict[str, LabelWish] = {}
    for piece in chunks(sorted(set(label_codes))):
        statement = (
            sa.select(label_links)
            .where(mine(uow, label_links), among(uow, label_links.c.label_code, piece))
            .order_by(label_links.c.label_code)
        )
        rows = uow.execute(statement.with_for_update() if lock else statement).mappings()
        found |= {row["label_code"]: wish_of(row) for row in rows}
    return found


def _end_dead_letters(uow: UnitOfWork, codes: Iterable[str], now: datetime) -> None:
    for piece in chunks(sorted(set(codes))):
        uow.execute(
            dead_letters.update()
            .where(
                mine(uow, dead_letters),
                dead_letters.c.kind == "label",
                among(uow, dead_letters.c.subject, piece),
                dead_letters.c.ended_at.is_(None),
            )
            .values(ended_at=now, ended_by="edit")
        )


def save_wish(
    uow: UnitOfWork,
    *,
    label_code: str,
    store_id: str,
    article_id: str | None,
    page: int | None,
    now: datetime,
    waits_for: str | None = None,
) -> None:
    """Wish that a label shows an article (None: nothing); a new wish revives a failed one.

    With `waits_for` it keeps what it shows until that label shows it too.
    """
    row = {
        "org_id": uow.tenant,
        "label_code": label_code,
        "store_id": store_id,
        "desired_article": article_id,
        "desired_page": page,
        "version": 1,
        "synced_version": 0,
        "state": State.ACTIVE.value,
        "origin": "wish",
        "attempts": 0,
        "doubts": 0,
        "waits_for": waits_for,
        "created_at": now,
        "updated_at": now,
    }
    uow.upsert(
        label_links,
        [row],
        key=["org_id", "label_code"],
        update=lambda new: {
            "waits_for": new.waits_for,
            "store_id": new.store_id,
            "desired_article": new.desired_article,
            "desired_page": new.desired_page,
            "version": label_links.c.version + 1,
            "state": new.state,
            "origin": new.origin,
            "attempts": 0,
            "doubts": 0,
            "next_attempt_at": None,
            "error_class": None,
            "error_text": None,
            "page_check_at": None,
            "page_rounds": 0,
            "updated_at": new.updated_at,
        },
    )
    _end_dead_letters(uow, [label_code], now)
    uow.announce_work(store_id)


def save_observed(
    uow: UnitOfWork,
    *,
    label_code: str,
    store_id: str,
    article_id: str,
    page: int | None,
    now: datetime,
    instead_of: LabelWish | None = None,
) -> bool:
    """Note a link that AIMS shows and no wish stands against; False when somebody wished something meanwhile."""
    row = {
        "org_id": uow.tenant,
        "label_code": label_code,
        "store_id": store_id,
        "desired_article": article_id,
        "acked_article": article_id,
        "desired_page": page,
        "version": 1,
        "synced_version": 1,
        "state": State.ACTIVE.value,
        "origin": "observed",
        "attempts": 0,
        "doubts": 0,
        "acked_at": now,
        "created_at": now,
        "updated_at": now,
    }
    uow.upsert(label_links, [row], key=["org_id", "label_code"], update=None)
    statement = (
        label_links.update()
        .where(
            mine(uow, label_links),
            label_links.c.label_code == label_code,
            sa.or_(label_links.c.origin == "observed", is_unchanged(instead_of)),
        )
        .values(
            store_id=store_id,
            origin="observed",
            desired_article=article_id,
            acked_article=article_id,
            desired_page=page,
            acked_page=None,
            updated_at=now,
        )
    )
    return uow.count_changed(statement) == 1


def is_unchanged(wish: LabelWish | None) -> sa.ColumnElement[bool]:
    """Return the condition that a wish is as it was read, with no call on its way."""
    if wish is None:
        return sa.false()
    return sa.and_(
        label_links.c.version == wish.version,
        label_links.c.inflight_version.is_(None),
        label_links.c.acked_article.is_not_distinct_from(wish.acked_article),
    )


def note_shown(uow: UnitOfWork, wish: LabelWish, article_id: str, now: datetime) -> bool:
    """Note that a label shows another article than AIMS acknowledged, so that its wish is due again."""
    statement = (
        label_links.update()
        .where(mine(uow, label_links), label_links.c.label_code == wish.label_code, is_unchanged(wish))
        .values(acked_article=article_id, acked_page=None, updated_at=now)
    )
    return uow.count_changed(statement) == 1


def doubt_link(uow: UnitOfWork, label_code: str) -> None:
    """Note that nobody knows what AIMS shows on a label, so that its wish is brought there whatever it acknowledged."""
    update_wish(uow, label_code, {"inflight_version": 0, "acked_page": None})


def wish_page(uow: UnitOfWork, store_id: str, article_id: str, page: int, now: datetime) -> None:
    """Wish another page for every label of an article."""
    wish_pages(uow, store_id, {article_id: page}, now)


def wish_pages(uow: UnitOfWork, store_id: str, pages: Mapping[str, int], now: datetime) -> None:
    """Wish pages for the labels of many articles, in as many statements as there are different pages."""
    for page in sorted(set(pages.values())):
        for piece in chunks([article_id for article_id, wanted in pages.items() if wanted == page]):
            uow.execute(
                label_links.update()
                .where(
                    mine(uow, label_links),
                    label_links.c.store_id == store_id,
                    among(uow, label_links.c.desired_article, piece),
                    label_links.c.desired_page.is_distinct_from(page),
                )
                .values(
                    desired_page=page,
                    version=label_links.c.version + 1,
                    state=State.ACTIVE.value,
                    attempts=0,
                    doubts=0,
                    next_attempt_at=None,
                    error_class=None,
                    error_text=None,
                    page_check_at=None,
                    page_rounds=0,
                    updated_at=now,
                )
            )
    if pages:
        uow.announce_work(store_id)


def update_wish(
    uow: UnitOfWork, label_code: str, values: Mapping[str, Any], *, if_version: int | None = None
) -> bool:
    """Write columns of a wish, with `if_version` only while it is still that version."""
    statement = label_links.update().where(mine(uow, label_links), label_links.c.label_code == label_code)
    if if_version is not None:
        statement = statement.where(label_links.c.version == if_version)
    return uow.count_changed(statement.values(**values)) == 1


def forget_links(uow: UnitOfWork, store_id: str, article_ids: Collection[str], now: datetime) -> None:
    """Forget what labels of deleted articles were acknowledged to show: AIMS broke those links itself."""
    if article_ids:
        uow.execute(forgetting_links(uow.tenant, store_id, among(uow, SHOWN, article_ids), now))


SHOWN = label_links.c.acked_article
"""The article that a label is known to show."""


def forgetting_links(org_id: Any, store_id: Any, are_meant: sa.ColumnElement[bool], now: Any) -> sa.Update:
    """Return the statement of `forget_links`; its values may be parameters."""
    return _changing(org_id, store_id, are_meant).values(acked_article=None, acked_page=None, updated_at=now)


def redrawing_labels(org_id: Any, store_id: Any, are_meant: sa.ColumnElement[bool], now: Any) -> sa.Update:
    """Return the statement that notes that labels redraw: AIMS accepted a new content. Values may be parameters."""
    return _changing(org_id, store_id, are_meant).values(
        display=Display.PROCESSING.value, display_since=now, resent_at=None
    )


def _changing(org_id: Any, store_id: Any, are_meant: sa.ColumnElement[bool]) -> sa.Update:
    return label_links.update().where(
        label_links.c.org_id == org_id, label_links.c.store_id == store_id, are_meant
    )
