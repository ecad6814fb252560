"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB


def utc_text(moment: datetime) -> str:
    """Return an aware datetime as SQLite keeps it: fixed-width ISO text, so that it sorts as it should."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime; on SQLite fixed-width ISO text, so that it sorts as it should."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.engine.Dialect) -> sa.types.TypeEngine[Any]:
        """Return the column type of the database at hand."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(32))
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.engine.Dialect) -> Any:
        """Refuse naive datetimes; write the others in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a naive datetime must not reach the database"
            raise ValueError(msg)
        return utc_text(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def result_processor(
        self,
        dialect: sa.engine.Dialect,
        coltype: object,  # noqa: ARG002 - the signature is SQLAlchemy's
    ) -> Callable[[Any], datetime | None]:
        """Return what makes an aware UTC datetime of a column's value; a claim reads thousands of them."""
        return _moment_of_text if dialect.name == "sqlite" else _moment_in_utc


def _moment_of_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _moment_in_utc(moment: datetime | None) -> datetime | None:
    # The session's time zone is UTC, so that this is one comparison: a claim reads some thousands of them.
    return moment if moment is None or moment.tzinfo is UTC else moment.astimezone(UTC)


Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON document; Python None is SQL NULL."""

Text = sa.Text
