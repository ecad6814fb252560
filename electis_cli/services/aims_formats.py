"""The article format on both sides: how they differ, and ours put in place of AIMS's for the whole company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from electis_cli.db import accounts, alerts
from electis_cli.domain.access import Action
from electis_cli.domain.errors import AimsAmbiguous
from electis_cli.domain.organizations import ArticleFormat
from electis_cli.services.at_aims import AtAims, at_aims, may_have_happened, system_of
from electis_cli.services.change import Scope, changing
from electis_cli.services.ping import BREAKER_ALERT, FORMAT
from electis_cli.services.rendering import require_format

_LOGICAL = {
    "store": "store_column",
    "articleId": "id_column",
    "articleName": "name_column",
    "nfcUrl": "nfc_column",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatDifference:
    """One difference: a column one side lacks (added and missing are as AIMS sees it), or a changed setting."""

    change: str
    subject: str
    ours: str | None
    aims: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedFormat:
    """What was put in place of AIMS's format, or would be."""

    company: str
    columns: tuple[str, ...]
    differences: tuple[FormatDifference, ...]
    pushed: bool
    dry_run: bool


def diff_format(scope: Scope) -> list[FormatDifference]:
    """Return how AIMS's article format differs from the one electis works with. Raises FormatMissing."""
    with at_aims(scope, Action.READ_SETTINGS) as at:
        ours = require_format(at.organization)
        return compare_formats(ours, _remote(at))


def push_format(scope: Scope, *, dry_run: bool = False) -> PushedFormat:
    """Replace AIMS's article format by ours, for all stores of the company; equal ones are left alone.

    What AIMS keeps in it besides columns (file type, delimiter) stays. Raises FormatMissing, AimsAmbiguous when nobody
    knows whether AIMS took it.
    """
    with at_aims(scope, Action.CHANGE_SETTINGS) as at:
        ours = require_format(at.organization)
        company = at.organization.aims_company or at.organization.code
        differences = tuple(compare_formats(ours, _remote(at)))
        is_wanted = bool(differences) and not dry_run
        if is_wanted:
            body = encode_format(ours, at.ask.raw_format())
            after = {"columns": list(ours.columns)}
            with at.writing("aims:format_pushed", "organization", scope.org_id, after=after):
                try:
                    at.ask.replace_format(body)
                except AimsAmbiguous as error:
                    raise may_have_happened(error, fix="electis aims format diff") from error
            if compare_formats(ours, _remote(at)) == []:
                _go_on(scope)
        return PushedFormat(
            company=company, columns=ours.columns, differences=differences, pushed=is_wanted, dry_run=dry_run
        )


def compare_formats(ours: ArticleFormat, aims: ArticleFormat | None) -> list[FormatDifference]:
    """Return the differences of two formats, none when they are equal."""
    if aims is None:
        return [FormatDifference(change="absent", subject="format", ours="present", aims=None)]
    found = [
        FormatDifference(change="added", subject=column, ours=None, aims=column)
        for column in aims.columns
        if column not in ours.columns
    ]
    found += [
        FormatDifference(change="missing", subject=column, ours=column, aims=None)
        for column in ours.columns
        if column not in aims.columns
    ]
    found += [
        FormatDifference(change="mapped", subject=name, ours=getattr(ours, field), aims=getattr(aims, field))
        for name, field in _LOGICAL.items()
        if getattr(ours, field) != getattr(aims, field)
    ]
    if not found and ours.columns != aims.columns:
        found.append(
            FormatDifference(
                change="order", subject="columns", ours=", ".join(ours.columns), aims=", ".join(aims.columns)
            )
        )
    return found


def encode_format(ours: ArticleFormat, current: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the body of a format write: our columns in what AIMS has now, so that the rest of it stays."""
    mapped = {
        name: column for name, field in _LOGICAL.items() if (column := getattr(ours, field)) is not None
    }
    base: dict[str, Any] = {"fileExtension": "csv", "delimeter": ";", **(current or {})}
    return {
        **base,
        "mappingInfo": {**base.get("mappingInfo", {}), **mapped},
        "articleBasicInfo": list(mapped),
        "articleData": list(ours.columns),
    }


def _remote(at: AtAims) -> ArticleFormat | None:
    return at.client.article_format()


def _go_on(scope: Scope) -> None:
    """Let a queue go on that was stopped because the formats differed."""
    with changing(system_of(scope), Action.SYNC) as change:
        if accounts.find_account(change.uow).breaker_reason == FORMAT:
            accounts.save_account(
                change.uow, {"breaker": "closed", "breaker_reason": None, "breaker_since": None}
            )
            alerts.close_alert(change.uow, BREAKER_ALERT, change.now)
