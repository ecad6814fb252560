"""What happened: events for front ends, the audit log for auditors, and mail that must not be lost."""

from __future__ import annotations

import sqlalchemy as sa

from electis_cli.db.tables.metadata import metadata
from electis_cli.db.types import Json, UtcDateTime

events = sa.Table(
    "events",
    metadata,
    sa.Column("org_id", sa.Text, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("payload", Json, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("org_id", sa.Text, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Text),
    sa.Column("actor_email", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("entity_id", sa.Text, nullable=False),
    sa.Column("before", Json),
    sa.Column("after", Json),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("ix_audit_log_entity", "org_id", "entity", "entity_id"),
)

outgoing_mail = sa.Table(
    "outgoing_mail",
    metadata,
    sa.Column("org_id", sa.Text, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # welcome, password-reset, alert
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text),  # sealed with the master key; wiped once sent
    sa.Column("state", sa.Text, nullable=False),  # waiting, sent, failed
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_attempt_at", UtcDateTime, nullable=False),
    sa.Column("error_text", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("sent_at", UtcDateTime),
    sa.Index("ix_outgoing_mail_waiting", "org_id", "state", "next_attempt_at"),
)

aims_exchanges = sa.Table(
    "aims_exchanges",
    metadata,
    sa.Column("org_id", sa.Text, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store", sa.Text),  # its code; null for calls about no store
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("query", Json, nullable=False),
    sa.Column("subjects", Json, nullable=False),  # article ids or label codes of a write
    sa.Column("status", sa.Integer),
    sa.Column("answer_code", sa.Text, nullable=False),
    sa.Column("answer_word", sa.Text, nullable=False),
    sa.Column("batch_id", sa.Text),
    sa.Column("batch_result", sa.Text),  # what became of it, once asked after the settle window
    sa.Column("milliseconds", sa.Integer, nullable=False),
    sa.Column("request_digest", sa.Text),
    sa.Column("answer_digest", sa.Text),
    sa.Column("answer_body", sa.Text),  # sealed, and only of answers that were errors
    sa.Column("error_class", sa.Text),
    sa.Index("ix_aims_exchanges_store", "org_id", "store", "id"),
)
