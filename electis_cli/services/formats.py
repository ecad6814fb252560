"""The article format: ours against AIMS's, and taking over a new one on purpose (design 4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from electis_cli.aims.client import AimsClient
from electis_cli.db import accounts, alerts, ledger, organizations, stores
from electis_cli.db.organizations import Organization
from electis_cli.domain.access import Action, system_actor
from electis_cli.domain.errors import FormatChanged, FormatMissing
from electis_cli.domain.organizations import format_to_stored
from electis_cli.services.change import Change, Scope, changing, reading
from electis_cli.services.ping import BREAKER_ALERT, FORMAT, open_breaker
from electis_cli.services.rendering import require_format


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatView:
    """An article format, and which of its columns show a meeting."""

    columns: tuple[str, ...]
    id_column: str
    name_column: str | None
    nfc_column: str | None
    store_column: str | None
    meeting_columns: Mapping[str, str | None]
    fetched_at: datetime | None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def show_format(scope: Scope) -> FormatView:
    """Return the article format this organization works with. Raises FormatMissing."""
    with reading(scope) as read:
        return _view(read.organization())


def fetch_format(scope: Scope, *, dry_run: bool = False) -> FormatView:
    """Take over AIMS's article format and render everything again with it. Raises FormatMissing, Unreachable."""
    with reading(scope, Action.CHANGE_SETTINGS) as read:
        organization = read.organization()
    client = scope.runtime.connect(organization)
    try:
        fetched = client.article_format()
    finally:
        client.close()
    if fetched is None:
        raise FormatMissing
    before = organization.article_format.columns if organization.article_format else ()
    with changing(scope, Action.CHANGE_SETTINGS, dry_run=dry_run) as change:
        values = {"article_format": format_to_stored(fetched), "format_fetched_at": change.now}
        organizations.update_organization(change.uow, scope.org_id, values)
        if fetched != organization.article_format:
            render_everything_again(change)
            change.audit(
                "aims:format_fetched",
                "organization",
                scope.org_id,
                before={"columns": list(before)},
                after={"columns": list(fetched.columns)},
            )
        account = accounts.find_account(change.uow)
        if account.breaker_reason == FORMAT:
            accounts.save_account(
                change.uow, {"breaker": "closed", "breaker_reason": None, "breaker_since": None}
            )
            alerts.close_alert(change.uow, BREAKER_ALERT, change.now)
        view = _view(change.organization())
    return FormatView(
        **{
            name: getattr(view, name)
            for name in FormatView.__dataclass_fields__
            if name not in {"added", "removed"}
        },
        added=tuple(column for column in fetched.columns if column not in before),
        removed=tuple(column for column in before if column not in fetched.columns),
    )


def refuse_changed_format(
    scope: Scope, organization: Organization, client: AimsClient, *, stop_pushes: bool = True
) -> None:
    """Raise FormatChanged, and stop the organization's pushes, when AIMS works with another format than we do.

    A dry run does not stop them (`stop_pushes`).

    Labels drawn with the wrong columns would be blank; so nothing is pushed until somebody takes the format over.
    """
    remote = client.article_format()
    if remote == require_format(organization):
        return
    if remote is None:
        raise FormatMissing
    ours = require_format(organization).columns
    added = [column for column in remote.columns if column not in ours]
    removed = [column for column in ours if column not in remote.columns]
    error = FormatChanged(
        why=f"New columns: {', '.join(added) or 'none'}; missing columns: {', '.join(removed) or 'none'}."
    )
    if stop_pushes:
        system = Scope(runtime=scope.runtime, actor=system_actor(scope.actor.source), org_id=scope.org_id)
        with changing(system, Action.SYNC) as change:
            open_breaker(change, reason=FORMAT, error=error)
    raise error


def render_everything_again(change: Change) -> None:
    """Make every article of the organization dirty."""
    for store in stores.list_stores(change.uow):
        rows = ledger.all_rows(change.uow, store.id)
        ordered = sorted(rows.values(), key=lambda row: row.desired_seq)
        wanted = {row.article_id: False for row in ordered if not row.desired_deleted}
        ledger.bump(change.uow, store.id, wanted, change.now)


def _view(organization: Organization) -> FormatView:
    known, meeting = require_format(organization), organization.mapping.meeting
    return FormatView(
        columns=known.columns,
        id_column=known.id_column,
        name_column=known.name_column,
        nfc_column=known.nfc_column,
        store_column=known.store_column,
        meeting_columns={"name": meeting.name, "time": meeting.time, "participants": meeting.participants},
        fetched_at=organization.format_fetched_at,
    )
