"""How articles stand: the status people are shown, read from the ledger and the label wishes, never stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from electis_cli.db import labels, ledger
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.queue import LabelWish, Status, status_of_row, status_of_wish, worst


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An article's status with its label wishes counted in, and how many labels should show it."""

    status: Status
    labels: int


def standings(uow: UnitOfWork, store_id: str, article_ids: Iterable[str]) -> dict[str, Standing]:
    """Return how some articles of a store stand, by article id."""
    wanted = set(article_ids)
    if len(wanted) > 2000:
        rows = ledger.all_rows(uow, store_id)
        wishes = labels.list_wishes(uow, [store_id])
    else:
        rows = ledger.rows_by_id(uow, store_id, wanted)
        wishes = labels.list_wishes(uow, [store_id], article_ids=wanted)
    by_article: dict[str, list[LabelWish]] = {}
    for wish in wishes:
        by_article.setdefault(wish.desired_article or wish.acked_article or "", []).append(wish)
    found: dict[str, Standing] = {}
    for article_id in wanted:
        mine = by_article.get(article_id, [])
        row = rows.get(article_id)
        statuses = [status_of_wish(wish) for wish in mine] + ([status_of_row(row)] if row else [])
        found[article_id] = Standing(
            status=worst(statuses), labels=sum(1 for wish in mine if wish.desired_article == article_id)
        )
    return found
