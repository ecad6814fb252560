"""Batches: what became of the writes AIMS took, label by label, and which records it dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from electis_cli.domain.errors import AimsRejected, NotFound
from electis_cli.services.at_aims import AtAims, at_aims
from electis_cli.services.change import Scope

if TYPE_CHECKING:
    from electis_cli.aims.histories import Batch, BatchRow, ValidationRow


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """One batch: AIMS's own summary, and its labels in every state they are in."""

    batch: Batch
    results: Mapping[str, int]
    rows: tuple[BatchRow, ...]
    refused: tuple[ValidationRow, ...]


def list_batches(
    scope: Scope,
    *,
    hours: float = 24,
    kind: str | None = None,
    store: str | None = None,
    limit: int | None = None,
) -> Iterator[Batch]:
    """Yield the batches of the last hours, newest first; without a kind the article writes.

    Somebody who is limited to one store sees the batches of that store only. Raises StoreNotFound.
    """
    now = scope.runtime.clock()
    with at_aims(scope, store=store) as at:
        wanted = _visible(at, store)
        found = at.ask.batches(
            start=now - timedelta(hours=hours),
            end=now + timedelta(minutes=5),  # AIMS's clock may be ahead of ours
            kind=kind,
            store=store,
        )
        yield from islice((batch for batch in found if _is_about(batch, wanted)), limit)


def show_batch(scope: Scope, batch_id: str) -> BatchView:
    """Return one batch with the labels it changed, each state asked for explicitly. Raises NotFound."""
    with at_aims(scope) as at:
        batch = _require(at, batch_id)
        rows = at.ask.batch_rows(batch_id)
        refused = _refused(at, batch) if batch.failed or not batch.total else ()
    return BatchView(
        batch=batch,
        results=dict(sorted(Counter(row.result or "unknown" for row in rows).items())),
        rows=tuple(rows),
        refused=refused,
    )


def batch_errors(scope: Scope, batch_id: str) -> tuple[ValidationRow, ...]:
    """Return the records of a batch that AIMS dropped, and why. Raises NotFound for a batch it does not know."""
    with at_aims(scope) as at:
        return _refused(at, _require(at, batch_id))


def _require(at: AtAims, batch_id: str) -> Batch:
    wanted = _visible(at, None)
    for batch in at.ask.batches(batch=batch_id):
        if batch.batch == batch_id and _is_about(batch, wanted):
            return batch
    raise NotFound(
        f"AIMS knows no batch {batch_id}.",
        why="A batch is known some seconds after its write, and not for ever.",
        fix="electis aims batch list",
    )


def _refused(at: AtAims, batch: Batch) -> tuple[ValidationRow, ...]:
    """Return the validation log, or on an installation without one (Q30) what the batch itself says."""
    from electis_cli.aims.histories import ValidationRow  # noqa: PLC0415 - brings httpx with it

    try:
        return tuple(at.ask.refused_records(batch.batch))
    except AimsRejected:
        if not batch.error:
            return ()
        return (ValidationRow(index=None, article_id=None, reason=batch.error, batch=batch.batch),)


def _visible(at: AtAims, store: str | None) -> frozenset[str] | None:
    """Return the stores whose batches may be shown; None is all of the company, also writes AIMS gave to no store."""
    if store is None and at.scope.actor.store_id is None:
        return None
    return frozenset(place.code for place in at.places)


def _is_about(batch: Batch, wanted: Collection[str] | None) -> bool:
    return wanted is None or bool(set(batch.stores) & set(wanted))
