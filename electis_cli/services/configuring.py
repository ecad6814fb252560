"""Connecting an organization to AIMS: log in, fetch the article format, propose the mapping; or say what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from electis_cli.aims.address import normalize_address
from electis_cli.db import accounts, alerts, organizations, stores
from electis_cli.domain.access import Action, require
from electis_cli.domain.errors import AlreadyExists, FormatMissing
from electis_cli.domain.organizations import (
    ArticleFormat,
    ColumnMapping,
    format_to_stored,
    mapping_to_stored,
    propose_mapping,
)
from electis_cli.services.change import Scope, changing, reading
from electis_cli.services.formats import render_everything_again
from electis_cli.services.ping import BREAKER_ALERT
from electis_cli.services.secrets import seal_aims_password


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredView:
    """An AIMS account as it is stored now, and what its format means for us."""

    base_url: str
    cluster: str
    company: str
    username: str
    columns: tuple[str, ...]
    id_column: str
    name_column: str | None
    nfc_column: str | None
    meeting_columns: Mapping[str, str | None]
    aims_stores: tuple[str, ...]
    warnings: tuple[str, ...]
    dry_run: bool


def configure(
    scope: Scope,
    *,
    base_url: str,
    company: str | None,
    username: str,
    password: str,
    cluster: str | None = None,
    replace_existing: bool = False,
    dry_run: bool = False,
) -> ConfiguredView:
    """Try an AIMS account and store it with its article format; when anything is wrong nothing is stored.

    Raises InvalidInput or HostNotAllowed for the URL, AimsLoginRefused, AimsCompanyRefused, AimsUnreachable,
    AimsAnswerBroken (a wrong path answers HTML), FormatMissing, AlreadyExists without `replace_existing`.
    """
    require(scope.actor, Action.CHANGE_SETTINGS)
    address = normalize_address(base_url, cluster)
    with reading(scope, Action.READ_SETTINGS) as read:
        current = read.organization()
        our_stores = [store.code for store in stores.list_stores(read.uow)]
    if current.aims_base_url is not None and not replace_existing:
        raise AlreadyExists(
            f"The organization is connected to {current.aims_base_url} already.",
            why="Another account can show other articles: that is decided, not stumbled into.",
            fix="add --replace",
        )
    candidate = replace(
        current,
        aims_base_url=address.origin,
        aims_cluster=address.cluster.value,
        aims_company=company or current.code,
        aims_username=username,
        aims_password=seal_aims_password(scope.runtime.sealer, scope.org_id, password),
    )
    # A token that was kept would prove nothing about this password.
    client = (scope.runtime.checkup or scope.runtime.connect)(candidate)
    try:
        client.check_login()
        article_format = client.article_format()
        aims_stores = tuple(store.code for store in client.stores())
    finally:
        client.close()
    if article_format is None:
        raise FormatMissing(
            f"AIMS has no article format for company {candidate.aims_company}.",
            why="It says which columns an article has; without it nothing can be pushed.",
            fix="upload an article format in AIMS, then run this command again",
        )
    # What people corrected by hand stays where the new format still has the column.
    mapping = _kept_or_proposed(current.mapping, article_format)
    with changing(scope, Action.CHANGE_SETTINGS, dry_run=dry_run) as change:
        values = {
            "aims_base_url": candidate.aims_base_url,
            "aims_cluster": candidate.aims_cluster,
            "aims_company": candidate.aims_company,
            "aims_username": candidate.aims_username,
            "aims_password": candidate.aims_password,
            "article_format": format_to_stored(article_format),
            "format_fetched_at": change.now,
            "mapping": mapping_to_stored(mapping),
        }
        organizations.update_organization(change.uow, scope.org_id, values)
        accounts.save_account(
            change.uow,
            {"breaker": "closed", "breaker_reason": None, "breaker_since": None, "backoff_until": None},
        )
        alerts.close_alert(change.uow, BREAKER_ALERT, change.now)
        if current.article_format is not None and current.article_format != article_format:
            render_everything_again(change)
        visible = {name: value for name, value in values.items() if name != "aims_password"}
        change.audit("aims:configured", "organization", scope.org_id, after=_plain(visible))
        change.emit("aims:configured", {"id": scope.org_id})
    meeting = mapping.meeting
    return ConfiguredView(
        base_url=address.origin,
        cluster=address.cluster.value,
        company=candidate.aims_company or current.code,
        username=username,
        columns=article_format.columns,
        id_column=article_format.id_column,
        name_column=article_format.name_column,
        nfc_column=article_format.nfc_column,
        meeting_columns={"name": meeting.name, "time": meeting.time, "participants": meeting.participants},
        aims_stores=aims_stores,
        warnings=_warnings(mapping, article_format, our_stores, aims_stores),
        dry_run=dry_run,
    )


def _kept_or_proposed(current: ColumnMapping, article_format: ArticleFormat) -> ColumnMapping:
    proposed = propose_mapping(article_format)
    kept = current.meeting
    known = set(article_format.content_columns)
    return replace(
        current,
        meeting=replace(
            proposed.meeting,
            **{
                name: column
                for name in ("name", "time", "participants")
                if (column := getattr(kept, name)) is not None and column in known
            },
        ),
    )


def _warnings(
    mapping: ColumnMapping, article_format: ArticleFormat, ours: list[str], theirs: tuple[str, ...]
) -> tuple[str, ...]:
    found = [
        f"The format has no column for a meeting's {name}; rooms will not show it."
        for name in ("name", "time", "participants")
        if getattr(mapping.meeting, name) is None
    ]
    if article_format.name_column is None:
        found.append("The format maps no column to the article's name.")
    found.extend(f"Store {code} is not known to AIMS." for code in ours if code not in theirs)
    return tuple(found)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()
    }
