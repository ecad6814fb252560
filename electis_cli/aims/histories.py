"""What AIMS remembers of writes: batches, the labels and records in them, and the versions of an article.

Decoded like the `entities`: in every spelling that was seen, with the fields that are not known in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from electis_cli.aims.entities import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One write as AIMS's history shows it: the records it took, and the labels it changed."""

    batch: str
    result: str | None = None
    total: int | None = None
    success: int | None = None
    failed: int | None = None
    labels: int | None = None
    labels_done: int | None = None
    labels_failed: int | None = None
    stores: tuple[str, ...] = ()
    created: str | None = None
    modified: str | None = None
    error: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One label's part of a batch."""

    article_id: str | None
    label_code: str | None
    result: str | None
    error_code: str | None = None
    error: str | None = None
    at: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRow:
    """One record that AIMS did not take, and why; `data` is the record as it was sent."""

    index: int | None
    article_id: str | None
    reason: str
    store: str | None = None
    batch: str | None = None
    at: str | None = None
    data: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleVersion:
    """One time an article was written."""

    upload: str
    article_id: str | None = None
    name: str | None = None
    at: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedArticle:
    """An article with labels, and how many it has."""

    article_id: str
    name: str
    labels: int | None = None


def decode_batch(row: Mapping[str, Any]) -> Batch | None:
    """Return a batch; its id is the row's `name`, the row's own `id` is nobody's key."""
    take = Row(row)
    batch = take.text("name", "inputBatchId", "batchId", "customBatchId")
    if batch is None:
        return None
    result = take.word("result", "status")
    shares = take.list("storeWiseData") or []
    named = (Row(share).text("store", "storeCode", "code") for share in shares if isinstance(share, Mapping))
    return Batch(
        batch=batch,
        result="FAILED" if result == "FAIL" else result,
        total=take.number("total"),
        success=take.number("success"),
        failed=take.number("fail", "failed"),
        labels=take.number("totalImpacted"),
        labels_done=take.number("successImpacted"),
        labels_failed=take.number("failImpacted"),
        stores=tuple(dict.fromkeys(code for code in named if code)),
        created=take.text("created"),
        modified=take.text("lastModified", "last_modified", "lastUpdated"),
        error=take.text("errorInfo"),
        extra=take.rest,
    )


def decode_batch_row(row: Mapping[str, Any]) -> BatchRow:
    """Return one label's part of a batch."""
    take = Row(row)
    return BatchRow(
        article_id=take.text("articleId", "article_id"),
        label_code=take.word("labelCode", "label_code"),
        result=take.word("result", "status"),
        error_code=take.text("errorCode"),
        error=take.text("addlErrorMessage", "errorMessage", "addlErrorCode"),
        at=take.text("updateTime", "lastUpdated"),
        extra=take.rest,
    )


def decode_validation(row: Mapping[str, Any]) -> ValidationRow:
    """Return one row of a batch's validation log."""
    take = Row(row)
    return ValidationRow(
        index=take.number("errorIndex"),
        article_id=take.text("articleId", "article_id"),
        reason=take.text("errorText", "errorMessage") or "refused without a reason",
        store=take.text("store", "storeCode", "code"),
        batch=take.text("inputBatchId", "batchId"),
        at=take.text("insertTime"),
        data=take.text("errorData"),
        extra=take.rest,
    )


def decode_version(row: Mapping[str, Any]) -> ArticleVersion | None:
    """Return one row of an article's history."""
    take = Row(row)
    upload = take.text("uploadId", "upload_id", "inputBatchId")
    if upload is None:
        return None
    return ArticleVersion(
        upload=upload,
        article_id=take.text("articleId", "article_id"),
        name=take.text("articleName", "article_name"),
        at=take.text("uploadDate", "created"),
        extra=take.rest,
    )


def decode_linked(row: Mapping[str, Any]) -> LinkedArticle | None:
    """Return an article that has labels."""
    take = Row(row)
    article_id = take.text("articleId", "article_id")
    if article_id is None:
        return None
    name = take.text("articleName", "article_name") or ""
    return LinkedArticle(article_id=article_id, name=name, labels=take.number("labelCount"))
